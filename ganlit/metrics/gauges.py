"""What is shown the items that are measured, batch by batch and on several ranks, and has numbers in the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganlit.contracts import Collection, Reference, Sampled
from ganlit.errors import UserError
from ganlit.metrics.groups import Group, Real, Side
from ganlit.metrics.likeness import Plain
from ganlit.metrics.measure import Measured, Question, floor, measure
from ganlit.metrics.paired import Comparison, estimate
from ganlit.metrics.passes import Pass
from ganlit.metrics.plain import built, metric_of
from ganlit.metrics.portrait import Advance, Collector
from ganlit.metrics.protocol import BACK, PRIOR, Protocol
from ganlit.metrics.ranks import gathered, rank


class Shown(NamedTuple):
    """A batch of what is measured."""

    items: Tensor  # [B, ...] stored
    places: Tensor  # [B] int64: which of all items these are
    labels: Tensor | None  # [B] int64: their classes
    made: str  # how they were made, as ids say it: "ema", "ema-reconstruction", "images"
    target: Tensor | None = None  # [B, ...] stored: what they should be
    aside: Mapping[str, Shown] = {}  # other items of these places, by their making: from a prior, or the way back
    sampled: Sampled | None = None  # all this as networks have it

    @classmethod
    def of(
        cls,
        sampled: Sampled,
        places: Tensor,
        labels: Tensor | None,
        weights: str,
        sides: Mapping[Side, Real],
    ) -> Shown:
        """What a task samples.

        Args:
            sampled: its answer to a batch.
            places: of the batch's items.
            labels: of them, if they have any.
            weights: whose answer it is: "ema".
            sides: the real items; without those of the sources, what was made on the way back is left out.
        """
        stored, side = sides["target"].modality.to_stored, sampled.side
        items = stored(sampled.output)
        if sampled.source is None:
            return cls(items, places, labels, weights, sampled=sampled)
        aside = {}
        if PRIOR in side:
            aside[PRIOR] = cls(stored(side[PRIOR]), places, labels, f"{weights}-{PRIOR}")
        if BACK in side and "source" in sides:
            back, wanted = map(sides["source"].modality.to_stored, (side[BACK], side[f"{BACK}_reference"]))
            aside[BACK] = cls(back, places, labels, f"{weights}-{BACK}", wanted)
        what = "reconstruction" if sampled.source is sampled.reference else "translation"
        target = stored(sampled.reference)
        return cls(items, places, labels, f"{weights}-{what}", target, aside, sampled)

    def by(self, making: str) -> Shown:
        """The items of this making, see `Group`."""
        return self.aside[making] if making else self


class Gauge(ABC):
    """Numbers of items that come in batches; every rank shows it its share, and they do not depend on the shares."""

    @abstractmethod
    def add(self, shown: Shown) -> None:
        """Takes a batch."""

    @abstractmethod
    def finish(self) -> list[Measured]:
        """The numbers of all ranks' items on rank 0; elsewhere none. All ranks ask together."""


class Sets(Gauge):
    """Metrics of a set of items against the real ones.

    Args:
        one: the metrics, and the real items.
        missing: metrics that cannot be had.
        count: items in all, over all ranks.
        rows: whether the features of items are kept one by one also where no metric asks for them.
        advance: called with the number of items that the extractor has just seen.
        replicates: of the bootstrap; none by default.
        seed: of the bootstrap.
        with_floor: whether FID is told beside what a perfect generator would be given, which one that is shown the real
            items has no use for.
    """

    def __init__(
        self,
        one: Pass,
        missing: Container[str],
        count: int,
        rows: bool = False,
        advance: Advance = lambda count: None,
        replicates: int = 0,
        seed: int = 0,
        with_floor: bool = False,
    ) -> None:
        self.one, self.real, self.group = one, one.real, one.group
        self.metrics = [metric for metric in one.metrics if metric not in missing]
        self.collector = Collector(one.real.extractor, count, rows or one.rows, advance)
        self.replicates, self.seed, self.with_floor = replicates, seed, with_floor

    def prepare(self) -> None:
        """Has the real items seen as far as they are asked for, by all ranks together."""
        for real in self.one.asked:
            real.prepare(self.one.rows or self.with_floor)

    def add(self, shown: Shown) -> None:
        shown = shown.by(self.group.making)
        self.made = shown.made
        self.with_floor &= shown.target is None
        self.collector.add(self.real.view(shown.items), shown.places, shown.labels)

    def finish(self) -> list[Measured]:
        self.portrait = self.collector.finish()
        if rank() > 0:
            return []
        question = Question(self.portrait, self.real, self.made, self.replicates, self.seed)
        found = measure(self.metrics, question, self.one.trained)
        return found + (floor(self.portrait.count, self.real) if self.with_floor and "fid" in self.metrics else [])


class Means(Gauge):
    """Means over numbers that items have, with their standard errors.

    Args:
        reference: what the items are held against: dataset, split and content.
        device: on which the ranks can exchange tensors.
        making: which items, see `Group`.
    """

    what: str
    """What the mean is over."""

    seen_by = "-/-"
    """The extractor, as ids have it."""

    def __init__(self, reference: str, device: torch.device, making: str = "") -> None:
        self.reference, self.device, self.making = reference, device, making
        self.kept: dict[str, list[Tensor]] = {}
        self.places: list[Tensor] = []

    @abstractmethod
    def seen(self, shown: Shown) -> dict[str, Tensor]:
        """What is kept of items [B, ...], on the CPU, by metric and variant: "ssim-gauss11"."""

    def scored(self, name: str, kept: Tensor) -> Tensor:
        """Numbers [N] in float64, by what was kept [N, ...] of all items, in the order of their places."""
        return kept

    def add(self, shown: Shown) -> None:
        shown = shown.by(self.making)
        self.made = shown.made
        self.places.append(shown.places.cpu())
        for name, kept in self.seen(shown).items():
            before = self.kept.setdefault(name, [])
            if before and before[0].shape[1:] != kept.shape[1:]:
                raise UserError(f"{name} compares each item with all others: bring them to one size, or leave it out.")
            before.append(kept)

    def finish(self) -> list[Measured]:
        order = gathered(torch.cat(self.places), self.device).argsort()
        together = {name: gathered(torch.cat(kept), self.device)[order] for name, kept in self.kept.items()}
        if rank() > 0:
            return []
        scores = {name: self.scored(name, kept) for name, kept in together.items()}
        return [self._mean(name, found, len(order)) for name, found in scores.items() if len(found)]

    def _mean(self, name: str, scores: Tensor, total: int) -> Measured:
        metric, _, variant = name.partition("-")
        value, error, count = estimate(scores)
        protocol = Protocol(metric, total, variant, self.seen_by, self.reference, self.made)
        of = f"{count} {self.what}" if count == total else f"{count} of {total} {self.what}"
        return Measured(protocol, value, error if count > 1 else None, of)


class Each(Means):
    """Items one by one, as metrics score them.

    Args:
        comparisons: the metrics.
        others: as for `Means`.
    """

    def __init__(self, comparisons: Sequence[Comparison], *others: Any) -> None:
        super().__init__(*others)
        self.comparisons = comparisons
        self.by_name: dict[str, Comparison] = {}

    def seen(self, shown: Shown) -> dict[str, Tensor]:
        found = {}
        for each in self.comparisons:
            name, kept = each.seen(shown.items, shown.target)
            found[name], self.by_name[name] = kept, each
        return found

    def scored(self, name: str, kept: Tensor) -> Tensor:
        return self.by_name[name].scores(kept)


class Pairs(Each):
    """Items beside those that they should be."""

    what = "pairs"


class Alone(Each):
    """Items by themselves."""

    what = "items"


class Whole(Gauge):
    """Sets of items as they are: all are kept until all have been seen.

    Args:
        metrics: by how they are asked for.
        device: on which the ranks can exchange tensors.
        making: which items, see `Group`.
    """

    def __init__(self, metrics: Mapping[str, Plain], device: torch.device, making: str = "") -> None:
        self.metrics, self.device, self.making = metrics, device, making
        self.places: list[Tensor] = []
        self.kept: list[Tensor] = []

    def add(self, shown: Shown) -> None:
        shown = shown.by(self.making)
        self.made = shown.made
        self.places.append(shown.places.cpu())
        self.kept.append(shown.items.cpu())

    def finish(self) -> list[Measured]:
        order = gathered(torch.cat(self.places), self.device).argsort()
        items = gathered(torch.cat(self.kept), self.device)[order]
        if rank() > 0:
            return []
        return [self._told(asked, plain, items) for asked, plain in self.metrics.items()]

    def _told(self, asked: str, plain: Plain, items: Tensor) -> Measured:
        told = plain.tell(items)
        name = metric_of(asked)
        protocol = Protocol(name, len(items), plain.variant, plain.extractor, plain.reference, self.made)
        return Measured(protocol, *told)


def plains(groups: Sequence[Group], sides: Mapping[Side, Real]) -> dict[str, Plain]:
    """What is asked of sets of items as they are, by how it is asked for, with what it is made of aside.

    Args:
        groups: the metrics.
        sides: the real items.

    Raises:
        UserError: a metric cannot be had of such items.
    """
    return {
        group.name(asked): built(asked, real.reference, real.trained, real.modality)
        for group in groups
        if group.kind == "plain"
        for asked, real in ((asked, sides[group.side]) for asked in group.metrics)
    }


def comparisons(groups: Sequence[Group], sides: Mapping[Side, Real], device: torch.device) -> dict[str, Comparison]:
    """What scores single items, by how it is asked for.

    Args:
        groups: the metrics.
        sides: the real items, by one of which it is seen whether they can be scored.
        device: of the items.

    Raises:
        UserError: they cannot, or weights are not there.
    """
    found: dict[str, Comparison] = {}
    for group in (group for group in groups if group.kind in ("pairs", "alone")):
        real = sides[group.side]
        example = real.reference.items[:1].to(device)
        for asked in group.metrics:
            found[asked] = found.get(asked) or Comparison(asked, real.modality, device)
            found[asked].seen(example, example)
    return found


def named(items: Reference | Collection) -> str:
    """Dataset, split and content, as ids have them."""
    return f"{items.name}@{items.digest[:6]}"
