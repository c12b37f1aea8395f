"""Items that lie nowhere: they are made when they are asked for, by keys."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from ganlit.contracts import Labelled, Reference
from ganlit.data.base import GanDataModule
from ganlit.data.held import MEASURED
from ganlit.data.windows import Fixed


class Maker(Protocol):
    """A dataset that makes the item of any key, by the draws of a seed."""

    seed: int

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


class FleetingDataModule(GanDataModule):
    """Data of which each pass has other items; those that are measured are drawn once for all seeds.

    Attributes:
        passed: items in a pass.
        fixed: items that are measured.
    """

    passed: int
    fixed: int

    @abstractmethod
    def made(self, count: int, seed: int) -> Maker:
        """So many items a pass by the draws of a seed."""

    @abstractmethod
    def named(self, items: Fleeting, which: str) -> Reference:
        """Items under the name of the data, which ends by saying which they are."""

    @property
    def dataset(self) -> Maker:
        return self.made(self.passed, self.seed)

    @property
    def measured(self) -> Fixed:
        return Fixed(self._real)

    @property
    def reference(self) -> Reference:
        return self._real

    def trained_of(self, field: str) -> Reference:
        """The first pass; of whole items, which a `dataset` may cut into parts."""
        return self.named(Fleeting(self.made(self.passed, self.seed)), f"-trained{self.passed}")

    @cached_property
    def _real(self) -> Reference:
        return self.named(Fleeting(self.made(self.fixed, 0), MEASURED), f"-{self.fixed}")
