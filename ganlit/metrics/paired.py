"""How close items are to the very ones they should be, for translation and enhancement: metrics by name."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.metrics.images import paired as images

PAIRED = {**images.PAIRED}
"""By name what builds a metric on a device, with its protocol; those of all modalities."""


class Estimate(NamedTuple):
    """A mean over items."""

    value: float
    error: float  # standard error of the mean; nan for one item
    count: int


class Comparison:
    """The paired metrics of items that come in batches.

    Args:
        metrics: some of `PAIRED`; only LPIPS needs weights.
        device: of the items.

    Raises:
        UserError: a metric is unknown, or the weights of LPIPS are not there.
    """

    def __init__(self, metrics: Sequence[str] = tuple(PAIRED), device: torch.device | str = "cpu") -> None:
        self.measures = dict(_measure(metric, device) for metric in metrics)
        self.scores: dict[str, list[Tensor]] = {protocol: [] for protocol in self.measures}

    def add(self, output: Tensor, target: Tensor) -> None:
        """Takes stored items [B, ...] and what they should be, of any shape but one for both."""
        for protocol, measure in self.measures.items():
            self.scores[protocol].append(measure(output, target).cpu())

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


def _measure(metric: str, device: torch.device | str) -> tuple[str, images.Measure]:
    """The protocol of a metric, and the metric."""
    if metric not in PAIRED:
        close = get_close_matches(metric, PAIRED, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(PAIRED)}"
        raise UserError(f"unknown paired metric {metric}; {hint}")
    return PAIRED[metric](device)
