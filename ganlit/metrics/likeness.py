"""What a metric is that holds items against the very ones they should be."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor


def by_themselves(scores: Tensor) -> Tensor:
    """Scores that each pair has alone."""
    return scores


class Likeness(NamedTuple):
    """How like items are to their targets, by what is kept of each pair until all have been seen."""

    variant: str  # what ids say of it beside its name: "gauss11"; empty where there is no choice
    seen: Callable[[Tensor, Tensor], Tensor]  # outputs and targets, stored [B, ...], to what is kept of each: [B, ...]
    scores: Callable[[Tensor], Tensor] = by_themselves  # of all that was kept [N, ...]: [N] in float64
