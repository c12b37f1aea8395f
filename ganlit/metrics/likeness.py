"""What a metric is that holds items against the very ones they should be, or sets of them against one another."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor


def by_themselves(scores: Tensor) -> Tensor:
    """Scores that each pair has alone."""
    return scores


def that_tell(scores: Tensor) -> Tensor:
    """The same but for nan, which is the score of a pair that the metric has nothing to say of, such as silence."""
    return scores[~scores.isnan()]


class Likeness(NamedTuple):
    """How like items are to their targets, or how good by themselves, by what is kept of each until all are seen."""

    variant: str  # what ids say of it beside its name: "gauss11"; empty where there is no choice
    seen: Callable[..., Tensor]  # outputs and, if it asks for them, targets, stored [B, ...], to what is kept: [B, ...]
    scores: Callable[[Tensor], Tensor] = by_themselves  # of all that was kept [N, ...]: [N], or fewer, in float64


class Told(NamedTuple):
    """A number of a set of items."""

    value: float
    spread: float | None = None
    of: str = ""  # over what: "400 items"


class Plain(NamedTuple):
    """A metric that is ready, the real items looked through."""

    variant: str  # what ids say of it beside its name: "4-words-method1"
    extractor: str  # what else its numbers follow from, of the form NAME/HOW; "-/-" for nothing
    reference: str  # dataset, split and content of the real items; "-" where it asks for none
    tell: Callable[[Tensor], Told]  # of items, stored [N, ...]
