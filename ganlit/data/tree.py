"""Items that have paths, in folders or inside a zip, and labels by these."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, NamedTuple

from ganlit.data.labels import LARGEST, LISTING, entries_of, normal, numbered
from ganlit.data.objections import Objection
from ganlit.data.source import DAMAGE, BadItem, BadLabels, NoLabel, Source, trouble


class Labelling(NamedTuple):
    """Which items are of which class, and what is said of the others."""

    labels: dict[str, int]  # by member
    classes: tuple[str, ...]
    absent: Sequence[str] = ()  # what has a label and is not there
    without: str = f"has no label in {LISTING}"
    remedy: str = "add it"


class Tree(Source):
    """All items of a tree; their classes are those of a dataset.json at the top, where there is one.

    Zips often hold one folder with everything in it: dataset.json may lie there too, and name paths from there.

    Attributes:
        files: the paths of all that is there, wanted and not hidden, with / between their parts, in order.
        item: what messages call one.
        stranger: what is said of a file that holds nothing.
    """

    files: Sequence[str]
    item: str
    stranger: Objection

    @property
    @abstractmethod
    def most(self) -> float:
        """Bytes of an item's file, at most."""

    def wanted(self, path: str) -> bool:
        """Whether a file is looked at, as its path tells."""
        return True

    @abstractmethod
    def place(self, member: str) -> str:
        """What messages call a file."""

    @abstractmethod
    def content(self, member: str, most: float) -> bytes:
        """What a file holds.

        Raises:
            BadItem: it cannot be used, or has more bytes than that.
            OSError, ...: whatever is among DAMAGE.
        """

    @abstractmethod
    def inside(self, member: str) -> Path | IO[bytes]:
        """Where a file that is there can be read.

        Raises:
            BadItem: it cannot be used.
        """

    def unlisted(self) -> Labelling | None:
        """The labels where there is no dataset.json; None for none at all."""
        return None

    @cached_property
    def listing(self) -> str | None:
        """Where dataset.json lies."""
        named = (file for file in self.files if file.replace("\\", "/").rpartition("/")[2] == LISTING)
        found = min(named, key=len, default="")
        return found if found and all(file.startswith(_above(found)) for file in self.files) else None

    @cached_property
    def labelling(self) -> Labelling | None:
        """None where there are no labels, or none are wanted.

        Raises:
            BadLabels: dataset.json cannot be used.
        """
        if not self.labels:
            return None
        return self.unlisted() if self.listing is None else self._listed(self.listing)

    def _listed(self, listing: str) -> Labelling | None:
        place = self.place(listing)
        try:
            content = self.content(listing, LARGEST)
        except BadItem as bad:
            raise BadLabels(f"{place} {bad.reason}") from None
        except DAMAGE as error:
            raise BadLabels(f"{place} {trouble(error).reason}") from None
        entries, names = entries_of(content, place)
        if not entries:
            return None
        spelled = {member: normal(member) for member in self.present}
        there = set(spelled.values())
        below = [(normal(_above(listing) + path), path, label) for path, label in entries]
        entries = [(path if whole not in there and path in there else whole, label) for whole, path, label in below]
        labels, classes = numbered(entries, names, place, anew=self.labels == "renumber")
        found = {member: labels[path] for member, path in spelled.items() if path in labels}
        return Labelling(found, classes, [path for path in labels if path not in there])

    @cached_property
    def present(self) -> list[str]:
        """The items that are there."""
        return [file for file in self.files if file != self.listing]

    @cached_property
    def members(self) -> list[str]:
        """These, and behind them what dataset.json lists beside them."""
        return [*self.present, *(self.labelling.absent if self.labelling else ())]

    @property
    def classes(self) -> tuple[str, ...]:
        return self.labelling.classes if self.labelling else ()

    def __len__(self) -> int:
        return len(self.members)

    def title(self, index: int) -> str:
        return self.place(self.members[index])

    def at(self, index: int) -> Path | IO[bytes]:
        """Where an item can be read.

        Raises:
            BadItem: it cannot be used, wherever it is wanted.
        """
        if index < len(self.present):
            return self.inside(self.members[index])
        remedy = f"add it, drop it from {LISTING}, or set labels: false to do without"
        raise BadItem(self.title(index), "missing", f"is listed in {LISTING} but not there", remedy, spare=False)

    def label(self, index: int) -> int | None:
        if self.labelling is None:
            return None
        label = self.labelling.labels.get(self.members[index])
        if label is None:
            raise NoLabel(self.title(index), self.labelling.without, self.labelling.remedy)
        return label


def _above(listing: str) -> str:
    return listing[: -len(LISTING)]
