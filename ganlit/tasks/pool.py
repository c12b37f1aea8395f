"""Older items, shown to the discriminator again: Shrivastava et al., arXiv 1612.07828, section 2.3.

As in CycleGAN, arXiv 1703.10593, section 4: half of what it sees is drawn from the latest items, and these make room
there for new ones.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.errors import within


class Turn(NamedTuple):
    """What happens to the items of one batch, over all ranks; -1 stands for nothing."""

    shown: Tensor  # [B] int64: which old item is shown instead
    kept: Tensor  # [B] int64: where the new one is kept


class Pool:
    """A fixed number of generated items, the same on every rank, which checkpoints hold.

    What a batch sees are items of batches before it, so that it may be cut into micro-batches and shared among ranks;
    in a batch of one that is CycleGAN's own rule.

    Args:
        size: of items; with none, everything is shown as it is.

    Raises:
        UserError: it is less than none.
    """

    def __init__(self, size: int = 50) -> None:
        within("model.init_args.pool", size, least=0, most=100_000)
        self.size = size
        self.items: Tensor | None = None  # [n, ...], n up to the size

    def turn(self, count: int, seed: int) -> Turn:
        """How a batch of so many items is treated: a function of the seed, and of how many items are here.

        The first ones fill what is empty and are shown themselves; of the others, half change places with old ones.
        """
        draw = torch.Generator().manual_seed(seed)
        filled = 0 if self.items is None else len(self.items)
        shown, kept = torch.full((2, count), -1).unbind()
        new = min(count, self.size - filled)
        kept[:new] = torch.arange(filled, filled + new)
        swapped = torch.arange(new, count)[torch.rand(count - new, generator=draw) < 0.5]
        places = torch.randperm(filled, generator=draw)[: len(swapped)]  # no item in two places of a batch
        swapped = swapped[: len(places)]
        shown[swapped], kept[swapped] = places, places
        return Turn(shown, kept)

    def mixed(self, fresh: Tensor, shown: Tensor) -> Tensor:
        """Fresh items [b, ...], some of them replaced by old ones, as the turn of the batch says of these [b]."""
        if self.items is None or not bool((shown >= 0).any()):
            return fresh
        old = shown.to(fresh.device, non_blocking=True)
        chosen = self.items.to(fresh)[old.clamp(min=0)]
        return torch.where((old >= 0).view(-1, *[1] * (fresh.dim() - 1)), chosen, fresh)

    def take(self, fresh: Tensor, kept: Tensor) -> None:
        """Keeps fresh items [B, ...] of the whole batch, where its turn says so [B]."""
        keep = (kept >= 0).nonzero()[:, 0]
        if not len(keep):
            return
        items = fresh.new_empty(0, *fresh.shape[1:]) if self.items is None else self.items.to(fresh)
        if (missing := int(kept.max()) + 1 - len(items)) > 0:
            items = torch.cat([items, items.new_empty(missing, *items.shape[1:])])
        places, chosen = (each.to(fresh.device, non_blocking=True) for each in (kept[keep], keep))
        items[places] = fresh[chosen]
        self.items = items
