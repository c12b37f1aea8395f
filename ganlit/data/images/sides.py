"""Two sides of a dataset, served together: what is made into something, and what that should be."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganlit.contracts import Reference
from ganlit.data.draws import Draws
from ganlit.data.held import MEASURED


class Drawn(NamedTuple):
    """A batch on its way to the device, where a pair is made of it."""

    source: Tensor  # [B, C, h, w] stored
    target: Tensor  # [B, C, H, W] stored
    label: Tensor  # [B] int64: of the sources
    key: Tensor  # [B] int64: from which follows what is drawn anew each time


class Sides(Dataset[Drawn]):
    """Gathers both sides of whole batches, in training always anew: other windows, and, unpaired, other partners.

    Item i of pass e, of N in a pass, is i + N * e; with flips, the second half of a pass is mirrored.

    Args:
        sources: [M, C, h, w] stored.
        targets: [M, C, H, W] stored, or of another number where they are unpaired; perhaps the same as the sources.
        labels: [M] int64, of the sources.
        window: side of what is shown of a target; None for all of it.
        flip: also show every pair mirrored.
        paired: whether target i is what source i should become; else any target is shown beside a source.
        places: [N] int64 of the sources and of the targets to train on; None for all of them.
        seed: of what is drawn.
        fixed: for items that are measured: their middle, each beside its own partner, whatever the pass.
    """

    def __init__(
        self,
        sources: Tensor,
        targets: Tensor,
        labels: Tensor,
        window: int | None = None,
        flip: bool = False,
        paired: bool = True,
        places: tuple[Tensor | None, Tensor | None] = (None, None),
        seed: int = 0,
        fixed: bool = False,
    ) -> None:
        self.sources, self.targets, self.labels = sources, targets, labels
        self.window, self.flip, self.paired, self.seed, self.fixed = window, flip, paired, seed, fixed
        chosen = zip((sources, targets), places, strict=True)
        self.places = [torch.arange(len(side)) if places is None else places for side, places in chosen]
        self.size = len(self.places[1]) if fixed else max(map(len, self.places))
        self.endless = not fixed

    def __len__(self) -> int:
        return self.size * (2 if self.flip else 1)

    def __getitem__(self, indices: Tensor) -> Drawn:
        within = indices % len(self)
        item, mirrored = within % self.size, within >= self.size
        key = indices + MEASURED if self.fixed else indices
        draws = Draws(key, self.seed)
        source, target = (places[item % len(places)] for places in self.places)
        if not (self.paired or self.fixed):
            target = self.places[1][draws.integers(len(self.places[1]))]
        scale = self.targets.shape[-1] // self.sources.shape[-1]
        window = self.window or self.targets.shape[-1]
        corner = self._corner(draws, len(indices), self.sources.shape[-1] - window // scale)
        other = corner if self.paired else self._corner(draws, len(indices), self.sources.shape[-1] - window // scale)
        sources = self._cut(self.sources, source, corner, window // scale, mirrored)
        targets = self._cut(self.targets, target, [each * scale for each in other], window, mirrored)
        return Drawn(sources, targets, self.labels[source], key)

    def _corner(self, draws: Draws, count: int, room: int) -> list[Tensor]:
        """Top and left [B] of the windows in sources, as far as they have room to move."""
        if self.fixed:
            return [torch.full([count], room // 2)] * 2
        return [draws.integers(room + 1), draws.integers(room + 1)]

    def _cut(self, items: Tensor, places: Tensor, corner: list[Tensor], window: int, mirrored: Tensor) -> Tensor:
        if items.shape[-2:] == (window, window):
            cut = items.index_select(0, places)  # copies whole images, thirty times as fast as items[places]
        else:
            corners = zip(places.tolist(), *(each.tolist() for each in corner), strict=True)
            cut = torch.stack([items[i, :, top : top + window, left : left + window] for i, top, left in corners])
        if mirrored.any():
            cut = torch.where(mirrored.view(-1, 1, 1, 1), cut.flip(-1), cut)
        return cut


def middle(reference: Reference, window: int) -> Reference:
    """What is measured of real items [N, C, H, W]: a view of them, [N, C, window, window], under a name of its own."""
    top, left = ((side - window) // 2 for side in reference.items.shape[-2:])
    if reference.items.shape[-2:] == (window, window):
        return reference
    return reference._replace(
        name=f"{reference.name}-middle{window}",
        digest=blake2b(f"{reference.digest}-{window}".encode(), digest_size=16).hexdigest(),
        items=reference.items[..., top : top + window, left : left + window],
    )
