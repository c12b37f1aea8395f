"""Items that lie nowhere: they are made when they are asked for, by keys."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from ganlit.contracts import Labelled


class Maker(Protocol):
    """A dataset that makes the item of any key."""

    def __len__(self) -> int:
        """Items in a pass."""

    def __getitem__(self, keys: Tensor) -> Labelled:
        """The items of keys [B] int64."""

    def labels(self, keys: Tensor) -> Tensor:
        """Their classes [B] int64, without the items."""


class Fleeting:
    """Items [N, ...] that are made when they are asked for.

    Args:
        maker: makes them.
        first: the key of the first.
    """

    def __init__(self, maker: Maker, first: int = 0) -> None:
        self.maker = maker
        self.first = first

    def __len__(self) -> int:
        return len(self.maker)

    @property
    def keys(self) -> Tensor:
        """[N] int64: of each item."""
        return torch.arange(len(self)) + self.first

    def __getitem__(self, wanted: slice | Tensor) -> Tensor:
        return self.maker[self.keys[wanted]].item

    @property
    def labels(self) -> Tensor:
        return self.maker.labels(self.keys)
