"""What is known of one set of items as one extractor sees them, built batch by batch and on several ranks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import Moments, ScoreSums
from ganlit.metrics.ranks import gathered, total

KEPT = 50_000  # rows kept of a set for what needs them one by one: 400 MB at 2,048 dimensions
SPLITS = 10  # of the Inception Score, as in the papers

Advance = Callable[[int], None]


class Portrait(NamedTuple):
    """Sums over all items, which take the same memory for any number, and the rows of at most `KEPT` of them."""

    count: int
    moments: Moments
    rows: Tensor  # [M, d] float32 pooled features; M is 0 where none were asked for
    places: Tensor  # [M] int64, ascending: the places of these items in their set
    labels: Tensor  # [M] int64: their classes, 0 where there are none
    scores: Tensor | None  # [splits] float64: the Inception Score of each, where the extractor has a classifier

    @property
    def complete(self) -> bool:
        """Whether the rows are those of all items."""
        return len(self.rows) == self.count


class Collector:
    """Takes items in batches of any size, which the extractor sees in its own.

    Every rank adds its share; places say which items these are, so that the portrait does not depend on the shares.

    Args:
        extractor: what sees them.
        count: items in all, over all ranks.
        rows: whether rows are kept.
        advance: called with the number of items that the extractor has just seen.
    """

    def __init__(
        self, extractor: FeatureExtractor, count: int, rows: bool = True, advance: Advance = lambda count: None
    ) -> None:
        self.extractor = extractor
        self.count = count
        self.advance = advance
        self.moments = Moments(extractor.dim)
        self.sums = ScoreSums(extractor.classes, count, SPLITS) if extractor.classes and count >= SPLITS else None
        self.kept = torch.zeros(count, dtype=torch.bool)
        if rows or count <= extractor.dim:  # so few that distances are faster by rows than by sums
            self.kept[fixed_choice(count, KEPT)] = True
        self.waiting: list[tuple[Tensor, Tensor, Tensor]] = []
        self.done: list[tuple[Tensor, Tensor, Tensor]] = []

    def add(self, items: Tensor, places: Tensor, labels: Tensor | None = None) -> None:
        """Takes items [B, ...], as extractors see them, with their places [B] and classes [B] in the set."""
        labels = torch.zeros_like(places) if labels is None else labels
        if self.waiting and self.waiting[0][0].shape[1:] != items.shape[1:]:  # recordings may be of unequal length
            self._flush()
        self.waiting.append((items, places.cpu(), labels.cpu()))
        waiting = sum(len(items) for items, _, _ in self.waiting)
        if waiting >= self.extractor.batch:
            ready = waiting - waiting % self.extractor.batch
            joined = [torch.cat(parts) for parts in zip(*self.waiting, strict=True)]
            self._see(*(part[:ready] for part in joined))
            self.waiting = [tuple(part[ready:] for part in joined)]

    def finish(self) -> Portrait:
        """The portrait of all ranks' items; their rows are on rank 0 alone."""
        self._flush()
        device = self.extractor.device
        moments, sums = self.moments, self.sums
        moments.count = int(total(torch.tensor(moments.count), device))
        moments.total, moments.products = total(moments.total, device), total(moments.products, device)
        if sums is not None:
            sums.counts, sums.total = total(sums.counts, device), total(sums.total, device)
            sums.entropies = total(sums.entropies, device)
        rows, places, labels = (gathered(torch.cat(part), device) for part in self._kept_parts())
        if (places.diff() < 0).any():  # sorting copies the rows, which may be the half of all memory
            order = places.argsort()
            rows, places, labels = rows[order], places[order], labels[order]
        scores = sums.scores() if sums is not None and sums.counts.all() else None
        return Portrait(moments.count, moments, rows, places, labels, scores)

    def _kept_parts(self) -> list[list[Tensor]]:
        """Rows, places and labels in pieces, which are given away."""
        none = torch.empty(0, dtype=torch.int64)
        parts = [list(part) for part in zip((torch.empty(0, self.extractor.dim), none, none), *self.done, strict=True)]
        self.done = []
        return parts

    def _flush(self) -> None:
        """Has all seen that waits."""
        if any(len(items) for items, _, _ in self.waiting):
            self._see(*(torch.cat(parts) for parts in zip(*self.waiting, strict=True)))
        self.waiting = []

    def _see(self, items: Tensor, places: Tensor, labels: Tensor) -> None:
        features = self.extractor.extract(items, self.advance)
        self.moments.add(features["pool"])
        if self.sums is not None:
            self.sums.add(features["logits"].double().softmax(1), places)
        kept = self.kept[places]
        self.done.append((features["pool"][kept], places[kept], labels[kept]))


def fixed_choice(total: int, count: int) -> Tensor:
    """Fixed random indices: a dataset may be sorted by class."""
    return torch.randperm(total, generator=torch.Generator().manual_seed(0))[:count]
