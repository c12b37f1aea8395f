"""Items that are measured and never trained on."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.errors import UserError, within

HELD_OUT = "held out"
"""What is measured and never trained on, among all that is decoded."""

MEASURED = 2**62
"""Keys of draws from here on are those of items that are measured."""


def understood(held_out: Any) -> Any:
    """What is held out as a data module was given it: a share as a float, places of two sides as a tuple.

    Raises:
        UserError: a share is nothing, or all.
    """
    if isinstance(held_out, int | float):
        within("data.init_args.held_out", held_out, above=0, below=1)
        return float(held_out)
    return tuple(held_out) if isinstance(held_out, list) else held_out


def parted(count: int, share: float, groups: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The places [N] int64 to train on and those held out, in order: the same choice for every seed.

    Args:
        count: of all items.
        share: that is held out, at least.
        groups: [count] int64: what belongs together, such as pieces of one picture, and stays so; all apart by default.

    Raises:
        UserError: either has none.
    """
    groups = torch.arange(count) if groups is None else groups
    order = torch.from_numpy(np.random.default_rng(0).permutation(int(groups.max()) + 1))
    taken = groups.bincount()[order].cumsum(0)
    chosen = order[: int((taken < round(count * share)).sum()) + 1] if share > 0 else order[:0]
    held = torch.isin(groups, chosen)
    if not 0 < held.sum() < count:
        items, nothing = f"{count} item{'s' * (count != 1)}", "to train on" if held.any() else "to measure"
        raise UserError(
            f"data.init_args.held_out is {share:g} of {items}, which leaves none {nothing}: bring more, or change it."
        )
    return (~held).nonzero().flatten(), held.nonzero().flatten()


class Some:
    """Some of many items [N, ...], read when they are asked for: those that are trained on may fill no memory.

    Args:
        items: all of them, mapped.
        places: [n] int64.
    """

    def __init__(self, items: Tensor, places: Tensor) -> None:
        self.items = items
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, wanted: slice | Tensor) -> Tensor:
        return self.items[self.places[wanted]]


def chosen(reference: Reference, places: Tensor) -> Reference:
    """The real items that are held out, under a name and a digest of their own."""
    return _part(reference, places, "held")._replace(items=reference.items[places])


def rest(reference: Reference, places: Tensor) -> Reference:
    """The real items that are trained on where others are held out, under a name and a digest of their own."""
    return _part(reference, places, "trained")


def _part(reference: Reference, places: Tensor, called: str) -> Reference:
    return reference._replace(
        name=f"{reference.name}-{called}{len(places)}",
        digest=blake2b(reference.digest.encode() + places.numpy().tobytes(), digest_size=16).hexdigest(),
        items=Some(reference.items, places),
        labels=reference.labels[places],
    )
