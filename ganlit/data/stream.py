"""The order of the data: an infinite stream, a pure function of (seed, images seen)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Sampler


@lru_cache(maxsize=2)  # a batch may span the end of one pass and the beginning of the next
def permutation(size: int, seed: int, epoch: int) -> Tensor:
    """The order [size] int64 of one pass over the items."""
    return torch.from_numpy(np.random.default_rng((seed, epoch)).permutation(size))


def items(size: int, seed: int, positions: Tensor, endless: bool = False) -> Tensor:
    """The item at each position of the stream: position p holds perm_epoch(p mod size), where epoch = p // size.

    Args:
        size: number of items in a pass.
        seed: not negative.
        positions: [B] int64, not negative, without an upper bound.
        endless: count on from pass to pass: item i of pass e is i + size * e, and so never the same number twice.

    Returns:
        [B] int64 in [0, size), or, where it is endless, without an upper bound.
    """
    epochs, places = positions // size, positions % size
    picked = torch.empty_like(positions)
    for epoch in epochs.unique().tolist():
        here = epochs == epoch
        picked[here] = permutation(size, seed, epoch)[places[here]] + (size * epoch if endless else 0)
    return picked


class StreamSampler(Sampler[Tensor]):
    """The batches of the stream from the clock to the end of its tick: of each, the positions that are this rank's.

    The global batch at images_seen = s holds the positions s to s + batch - 1, of which rank r of R takes s + r,
    s + r + R, and so on. Nothing has to be saved for a resume, also in the middle of a tick, and a change of the batch
    size or of the number of ranks keeps the order.

    Args:
        size: number of items in a pass.
        seed: of the permutations.
        batch: images in a step, over all ranks.
        tick: images from one multiple of which an iteration goes to the next.
        clock: tells the images seen; asked when the first batch is drawn.
        rank: this process.
        world: number of processes.
        endless: see `items`.
    """

    def __init__(
        self,
        size: int,
        seed: int,
        batch: int,
        tick: int,
        clock: Callable[[], int],
        rank: int = 0,
        world: int = 1,
        endless: bool = False,
    ) -> None:
        self.size = size
        self.seed = seed
        self.batch = batch
        self.tick = tick
        self.clock = clock
        self.rank = rank
        self.world = world
        self.endless = endless

    def __iter__(self) -> Iterator[Tensor]:
        start = self.clock()
        end = (start // self.tick + 1) * self.tick
        for first in range(start, end, self.batch):
            positions = torch.arange(first + self.rank, first + self.batch, self.world)
            yield items(self.size, self.seed, positions, self.endless)
