"""What a trained generator is given: items from anywhere, in the form of those that it was trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganlit.compute.console import say
from ganlit.configuration.names import given_options
from ganlit.configuration.rebuild import setting
from ganlit.contracts import Collection, Kept
from ganlit.data.base import SAMPLED, GanDataModule
from ganlit.errors import UserError, nearest
from ganlit.metrics.portrait import Advance
from ganlit.records.paths import at_home
from ganlit.studies.evaluation.subject import data_of, reachable
from ganlit.studies.evaluation.tiles import takes_any_size
from ganlit.tasks.translation import Translation

SHOWN = 3  # of the items that are left out


class Piece(NamedTuple):
    """Items that go through a network together."""

    paths: list[str]  # of each, inside the place and without its suffix
    stored: Tensor  # [B, ...]
    beside: list[Any]  # of each, what its file holds beside it, see `Kept`
    label: Tensor  # [B] int64, where the network is
    seen: Callable[[Tensor], Tensor]  # by the network there, of stored items or parts of them

    @property
    def source(self) -> Tensor:
        """[B, ...] as the network takes them."""
        return self.seen(self.stored)


class Inputs:
    """The items of a folder, a file or a zip, of which memory holds a piece at a time.

    Args:
        place: where they are.
        run: the run directory or its averaged generator.
        module: what is in it.
        options: of the kind of data that it is, see `Modality.bring`.
        skip_bad: leave out items that cannot be used.
        back: whether what is made of each goes into a file like its own: of any size, if the network takes such, as
            those may be anyway that go on along a side, and with what is beside it there.
        field: which part of a batch they stand for.

    Raises:
        UserError: there are none, two have one path, or their classes are not those of the run.
    """

    def __init__(
        self,
        place: str,
        run: str,
        module: Translation,
        options: Mapping[str, Any],
        skip_bad: bool = False,
        back: bool = False,
        field: str = "source",
    ) -> None:
        data = setting(run).data
        self.kind = data.modality_of(field)
        given = given_options(self.kind, "bring", options)
        known = getattr(module.generator, "classes", 0)
        any_size = (back or self.kind.ragged) and takes_any_size(module.generator)
        self.items = self.kind.bring(existing(place), data.form_of(field), known > 0, any_size, **given)
        self.back = back
        self.skip_bad = skip_bad
        self.skipped: list[str] = []  # why, each
        self.device = module.device
        self.name = place
        self.paths = self.items.paths
        _refuse_twins(self.paths, place, self.kind.item)
        self.labels = torch.zeros(len(self.items), dtype=torch.int64)
        if known:
            self.labels = numbered(self.items, data_of(run).reference.classes, place, run, self.kind.item)
        self.together = min(self.items.together, batch_of(module, data))

    def __len__(self) -> int:
        return len(self.items)

    def pieces(self, advance: Advance) -> Iterator[Piece]:
        """All of them, in order.

        Args:
            advance: is told of how many are left out.

        Raises:
            UserError: one cannot be used, or, where such are left out, none can.
        """
        for first in range(0, len(self), self.together):
            whole = list(range(first, min(first + self.together, len(self))))
            yield from self._piece(whole, advance)
        if len(self.skipped) == len(self):
            raise UserError(f"{self.name} has no {self.kind.item} that can be used: of all, {self.skipped[0]}")

    def tell(self) -> None:
        """Says what was left out."""
        if self.skipped:
            shown = [*self.skipped[:SHOWN], *(["..."] if len(self.skipped) > SHOWN else [])]
            say(f"left out {len(self.skipped)} of {len(self)} {self.kind.item}s: {' '.join(shown)}")

    def _piece(self, whole: list[int], advance: Advance) -> Iterator[Piece]:
        """One, or none; what it holds is let go of before another one is read."""
        places, kept = self._usable(whole)
        advance(len(whole) - len(places))
        if kept is not None:
            paths, label = [self.paths[place] for place in places], self.labels[places].to(self.device)
            yield Piece(paths, *kept, label, self._seen)

    def _seen(self, stored: Tensor) -> Tensor:
        return self.kind.to_network(stored.to(self.device))

    def _usable(self, places: list[int]) -> tuple[list[int], Kept | None]:
        """Those of a piece that can be used, and what they hold."""
        wanted = slice(places[0], places[-1] + 1)
        try:
            return places, self.items.kept(wanted) if self.back else Kept(self.items[wanted], [None] * len(places))
        except UserError as bad:
            if not self.skip_bad:
                raise UserError(f"{str(bad).rstrip('.')}, or leave such {self.kind.item}s out by --skip_bad.") from None
            if len(places) == 1:
                self.skipped.append(str(bad))
                return [], None
        found = [(place, kept) for place in places if (kept := self._usable([place])[1]) is not None]
        if not found:
            return [], None
        stored, beside = torch.cat([kept.stored for _, kept in found]), [kept.beside[0] for _, kept in found]
        return [place for place, _ in found], Kept(stored, beside)


def batch_of(module: Translation, data: GanDataModule) -> int:
    """How many items go through the network together: no more than in its training, in which gradients came on top."""
    return max(1, min(SAMPLED, data.batch // module.accumulate))


def existing(place: str) -> Path:
    """The path of what is there.

    Raises:
        UserError: there is nothing, or it cannot be read.
    """
    reachable(place)
    path = at_home(Path(place), "the input")
    if not path.exists():
        raise UserError(f"There is nothing at {place}: name a folder, a file or a zip of items.")
    return path


def numbered(items: Collection, classes: tuple[str, ...], place: str, run: str, what: str) -> Tensor:
    """The classes [N] of items, as a run numbers those of the same names.

    Raises:
        UserError: some have none, or one that the run does not know.
    """
    shown = ", ".join(classes[:5]) + (", ..." if len(classes) > 5 else "")
    if not items.classes:
        raise UserError(
            f"{run} makes something else of each class, and not every {what} of {place} has one: put them into "
            f"sub-folders that are called as its classes are, {shown}."
        )
    number = {name: index for index, name in enumerate(classes)}
    for label in items.labels.unique().tolist():
        if (name := items.classes[label]) not in number:
            raise UserError(f"{place} has the class {name}, but {run} knows {shown}{nearest(name, classes) or '.'}")
    return torch.tensor([number.get(name, 0) for name in items.classes])[items.labels]


def _refuse_twins(paths: list[str], place: str, what: str) -> None:
    path, times = Counter(paths).most_common(1)[0]
    if times > 1:
        raise UserError(
            f"{place} has {times} {what}s of the path {path}, which differ in their suffixes, and what is made of them "
            "would be one file: rename one of them."
        )
