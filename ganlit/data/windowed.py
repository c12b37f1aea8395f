"""Data of items that last, shown in windows, some of which may be held out."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.data.held import HELD_OUT, chosen, parted, rest, understood
from ganlit.data.mapped import MappedDataModule
from ganlit.data.source import Labels
from ganlit.data.store import Stored
from ganlit.data.windows import Fixed, Windows


class WindowedDataModule(MappedDataModule):
    """Windows of items, drawn anew in each pass; of each of those that are measured, one and always the same.

    Args:
        source: what messages call it.
        split: "train", or what else the source has.
        skip_bad: leave out items that cannot be used instead of refusing the dataset.
        labels: whether they are wanted, as they are or numbered anew.
        held_out: items that are never trained on, see `held.understood`.
        root: where sets known by name lie.
        stage: as in `MappedDataModule`, and so is all else.
    """

    def __init__(
        self,
        source: str,
        split: str = "train",
        skip_bad: bool = False,
        labels: Labels = True,
        held_out: float | str | None = None,
        root: Path = Path("datasets"),
        stage: Path | None = None,
        **loading: Any,
    ) -> None:
        super().__init__(source, stage, **loading)
        self.split = split
        self.skip_bad = skip_bad
        self.labels = labels
        self.held_out = understood(held_out)
        self.root = Path(root)

    @abstractmethod
    def decoded_of(self, source: str, split: str) -> Stored:
        """The items of a source, from the cache or decoded into it.

        Raises:
            UserError: it cannot be used as it is.
        """

    @abstractmethod
    def windows(self, items: Stored, places: Tensor) -> Windows:
        """Those of some items."""

    @abstractmethod
    def measured_of(self, stored: Stored) -> Reference:
        """One window of each item."""

    def decoded(self) -> Stored:
        return self.decoded_of(self.source, self.split)

    def others(self) -> dict[str, Stored]:
        if not isinstance(self.held_out, str):
            return {}
        elsewhere = Path(self.held_out).expanduser().exists()
        return {HELD_OUT: self.decoded_of(*((self.held_out, "train") if elsewhere else (self.source, self.held_out)))}

    @property
    def reference(self) -> Reference:
        return self._measured

    @cached_property
    def _measured(self) -> Reference:
        if self.held_out is None:
            return self.measured_of(self.stored)
        if isinstance(self.held_out, str):
            return self.measured_of(self.other(HELD_OUT))
        return chosen(self.measured_of(self.stored), self._parts[1])

    @cached_property
    def _parts(self) -> tuple[Tensor, Tensor]:
        """Places to train on, and those held out, where a share is."""
        pieces = self.stored.about.get("pieces")
        groups = None if pieces is None else torch.tensor(pieces).unique(return_inverse=True)[1]
        return parted(len(self.stored.reference.items), self.held_out, groups)

    def trained_of(self, field: str) -> Reference:
        everything = self.measured_of(self.stored)
        return everything if self.trained is None else rest(everything, self.trained)

    @property
    def trained(self) -> Tensor | None:
        """The places [N] int64 of what is trained on among all that is decoded; None for all of it."""
        return self._parts[0] if isinstance(self.held_out, float) else None

    @property
    def dataset(self) -> Windows:
        count = len(self.stored.reference.items)
        return self.windows(self.stored, torch.arange(count) if self.trained is None else self.trained)

    @property
    def measured(self) -> Fixed:
        return Fixed(self._measured)
