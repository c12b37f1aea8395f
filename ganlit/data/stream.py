"""The order of the data: an infinite stream, a pure function of (seed, images seen)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

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


class Ticks(NamedTuple):
    """When a training is looked at: with the first step by which it has seen another so many images.

    What is rounded to steps does not add up: after n ticks no more than a step is seen too much, so that a length of
    whole ticks ends with the last of them.
    """

    length: float  # in thousands of images
    batch: int  # images in a step

    def end(self, number: int) -> int:
        """Images seen at the end of a tick, numbered from 1 on."""
        images = round(number * max(self.length * 1000, self.batch), 6)  # 0.07 * 1000 is a little more than 70
        return math.ceil(images / self.batch) * self.batch

    def at(self, seen: int) -> int:
        """The tick in which, or with whose end, the clock stands; 0 before the first step."""
        number = max(0, int(seen / max(self.length * 1000, self.batch)) - 1)
        while self.end(number) < seen:
            number += 1
        return number

    def after(self, seen: int) -> int:
        """Images seen at the end of the tick that follows with the next step."""
        return self.end(self.at(seen + 1))


class StreamSampler(Sampler[Tensor]):
    """The batches of the stream from the clock to the end of its tick: of each, the positions that are this rank's.

    The global batch at images_seen = s holds the positions s to s + batch - 1, of which rank r of R takes s + r,
    s + r + R, and so on. Nothing has to be saved for a resume, also in the middle of a tick, and a change of the batch
    size or of the number of ranks keeps the order.

    Args:
        size: number of items in a pass.
        seed: of the permutations.
        batch: images in a step, over all ranks.
        ticks: to the end of one of which an iteration goes.
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
        ticks: Ticks,
        clock: Callable[[], int],
        rank: int = 0,
        world: int = 1,
        endless: bool = False,
    ) -> None:
        self.size = size
        self.seed = seed
        self.batch = batch
        self.ticks = ticks
        self.clock = clock
        self.rank = rank
        self.world = world
        self.endless = endless

    def __iter__(self) -> Iterator[Tensor]:
        start = self.clock()
        for first in range(start, self.ticks.after(start), self.batch):
            positions = torch.arange(first + self.rank, first + self.batch, self.world)
            yield items(self.size, self.seed, positions, self.endless)
