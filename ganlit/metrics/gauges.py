"""What is shown the items that are measured, batch by batch and on several ranks, and has numbers in the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.contracts import Collection, Modality, Reference, Sampled
from ganlit.metrics.groups import Group
from ganlit.metrics.measure import Measured, Question, floor, measure
from ganlit.metrics.paired import Comparison, estimate
from ganlit.metrics.passes import Pass
from ganlit.metrics.portrait import Advance, Collector
from ganlit.metrics.protocol import Protocol
from ganlit.metrics.ranks import gathered, rank


class Shown(NamedTuple):
    """A batch of what is measured."""

    items: Tensor  # [B, ...] stored
    places: Tensor  # [B] int64: which of all items these are
    labels: Tensor | None  # [B] int64: their classes
    made: str  # how they were made, as ids say it: "ema", "ema-reconstruction", "images"
    target: Tensor | None = None  # [B, ...] stored: what they should be
    prior: Tensor | None = None  # [B, ...] stored: others, from the generator's prior
    made_from_prior: str = ""
    sampled: Sampled | None = None  # all this as networks have it

    @classmethod
    def of(cls, sampled: Sampled, places: Tensor, labels: Tensor | None, weights: str, modality: Modality) -> Shown:
        """What a task samples.

        Args:
            sampled: its answer to a batch.
            places: of the batch's items.
            labels: of them, if they have any.
            weights: whose answer it is: "ema".
            modality: of the items.
        """
        items, stored = modality.to_stored(sampled.output), modality.to_stored
        if sampled.source is None:
            return cls(items, places, labels, weights, sampled=sampled)
        what = "reconstruction" if sampled.source is sampled.reference else "translation"
        prior = stored(sampled.side["prior"]) if "prior" in sampled.side else None
        return cls(
            items,
            places,
            labels,
            f"{weights}-{what}",
            stored(sampled.reference),
            prior,
            f"{weights}-prior",
            sampled,
        )


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
        if self.one.knows_real:
            self.real.prepare(self.one.rows or self.with_floor)

    def add(self, shown: Shown) -> None:
        items, self.made = (shown.prior, shown.made_from_prior) if self.group.prior else (shown.items, shown.made)
        self.with_floor &= shown.target is None or self.group.prior
        self.collector.add(self.real.view(items), shown.places, shown.labels)

    def finish(self) -> list[Measured]:
        self.portrait = self.collector.finish()
        if rank() > 0:
            return []
        found = measure(self.metrics, Question(self.portrait, self.real, self.made, self.replicates, self.seed))
        return found + (floor(self.portrait.count, self.real) if self.with_floor and "fid" in self.metrics else [])


class Means(Gauge):
    """Means over numbers that each item has by itself, with their standard errors.

    Args:
        reference: what the items are held against: dataset, split and content.
        device: on which the ranks can exchange tensors.
    """

    what: str
    """What the mean is over."""

    def __init__(self, reference: str, device: torch.device) -> None:
        self.reference, self.device = reference, device
        self.scores: dict[str, list[Tensor]] = {}
        self.places: list[Tensor] = []

    @abstractmethod
    def scored(self, shown: Shown) -> dict[str, Tensor]:
        """Numbers [B] in float64, on the CPU, by metric and variant: "ssim-gauss11"."""

    def add(self, shown: Shown) -> None:
        self.made = shown.made
        self.places.append(shown.places.cpu())
        for name, scores in self.scored(shown).items():
            self.scores.setdefault(name, []).append(scores)

    def finish(self) -> list[Measured]:
        order = gathered(torch.cat(self.places), self.device).argsort()
        together = {name: gathered(torch.cat(scores), self.device)[order] for name, scores in self.scores.items()}
        return [] if rank() > 0 else [self._mean(name, scores) for name, scores in together.items()]

    def _mean(self, name: str, scores: Tensor) -> Measured:
        metric, _, variant = name.partition("-")
        value, error, count = estimate(scores)
        protocol = Protocol(metric, count, variant, "-/-", self.reference, self.made)
        return Measured(protocol, value, error if count > 1 else None, f"{count} {self.what}")


class Pairs(Means):
    """Items beside those that they should be."""

    what = "pairs"

    def __init__(self, comparison: Comparison, reference: str, device: torch.device) -> None:
        super().__init__(reference, device)
        self.comparison = comparison

    def scored(self, shown: Shown) -> dict[str, Tensor]:
        return self.comparison.scored(shown.items, shown.target)


def comparison(
    groups: Sequence[Group], reference: Reference, modality: Modality, device: torch.device
) -> Comparison | None:
    """What compares pairs, if that is asked for.

    Args:
        groups: the metrics.
        reference: the real items, by one of which it is seen whether they can be compared.
        modality: of the items.
        device: of the items.

    Raises:
        UserError: they cannot, or the weights of LPIPS are not there.
    """
    names = [metric for group in groups if group.kind == "pairs" for metric in group.metrics]
    if not names:
        return None
    example, found = reference.items[:1].to(device), Comparison(names, device, modality.name)
    found.scored(example, example)
    return found


def named(items: Reference | Collection) -> str:
    """Dataset, split and content, as ids have them."""
    return f"{items.name}@{items.digest[:6]}"
