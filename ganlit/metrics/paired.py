"""How close items are to the very ones they should be, for translation and enhancement: metrics by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.metrics.rooms import rooms

PAIRED = {modality: room.PAIRED for modality, room in rooms("paired").items()}
"""By modality and name what builds a metric on a device, with its protocol."""

BETTER = {name: better for room in rooms("paired").values() for name, better in room.BETTER.items()}
"""By name whether higher or lower is better."""

Measure = Callable[[Tensor, Tensor], Tensor]
"""Outputs and targets, stored [B, ...] both, to scores [B] in float64."""


class Estimate(NamedTuple):
    """A mean over items."""

    value: float
    error: float  # standard error of the mean; nan for one item
    count: int


class Comparison:
    """The paired metrics of items that come in batches.

    Args:
        metrics: some of the modality's in `PAIRED`, or all; only LPIPS needs weights.
        device: of the items.
        modality: of the items.

    Raises:
        UserError: a metric is unknown, or the weights of LPIPS are not there.
    """

    def __init__(
        self, metrics: Sequence[str] | None = None, device: torch.device | str = "cpu", modality: str = "images"
    ) -> None:
        names = PAIRED.get(modality, {}) if metrics is None else metrics
        self.measures = dict(_measure(name, device, modality) for name in names)
        self.scores: dict[str, list[Tensor]] = {protocol: [] for protocol in self.measures}

    def add(self, output: Tensor, target: Tensor) -> None:
        """Takes stored items [B, ...] and what they should be, of any shape but one for both."""
        for protocol, scores in self.scored(output, target).items():
            self.scores[protocol].append(scores)

    def scored(self, output: Tensor, target: Tensor) -> dict[str, Tensor]:
        """The scores [B] of items [B, ...] by protocol, which are not kept."""
        return {protocol: measure(output, target).cpu() for protocol, measure in self.measures.items()}

    def finish(self) -> dict[str, Tensor]:
        """The score [N] of every item in float64 by protocol: "psnr", "ssim-gauss11", "lpips-alex@1a2b3c4d"."""
        none = torch.empty(0, dtype=torch.float64)
        return {protocol: torch.cat([none, *scores]) for protocol, scores in self.scores.items()}


def estimate(scores: Tensor) -> Estimate:
    """Mean and standard error of scores [N].

    Raises:
        UserError: there are none.
    """
    if not len(scores):
        raise UserError("paired metrics: there are no pairs to compare.")
    error = float(scores.std() / len(scores) ** 0.5) if len(scores) > 1 else float("nan")
    return Estimate(float(scores.mean()), error, len(scores))


def _measure(metric: str, device: torch.device | str, modality: str) -> tuple[str, Measure]:
    """The protocol of a metric, and the metric."""
    known = PAIRED.get(modality, {})
    if metric not in known:
        close = get_close_matches(metric, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known) or 'none'}"
        raise UserError(f"unknown paired metric {metric}; {hint}")
    return known[metric](device)
