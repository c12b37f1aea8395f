"""How close items are to the very ones they should be, for translation and enhancement: metrics by name."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.errors import UserError, nearest
from ganlit.metrics.rooms import rooms

ROOMS = rooms("paired")
"""By modality what builds a metric by its name (`PAIRED`) and tells whether higher or lower is `BETTER`; `read`, by
which options behind a name are understood; and `depth`, what ids say of items that are stored in an unusual way."""

BETTER = {name: better for room in ROOMS.values() for name, better in room.BETTER.items()}


class Estimate(NamedTuple):
    """A mean over items."""

    value: float
    error: float  # standard error of the mean; nan for one item
    count: int


class Comparison:
    """A paired metric as it is asked for, with options behind its name, such as "psnr-y-crop4".

    Args:
        asked: its name; only LPIPS needs weights.
        modality: of the items.
        device: of the items.

    Raises:
        UserError: there is no such metric, or the weights of LPIPS are not there.
    """

    def __init__(self, asked: str, modality: Modality, device: torch.device | str = "cpu") -> None:
        metric, options = split(asked, known := names(modality.name))
        if metric not in known:
            hint = nearest(asked, known) or f"; known here: {', '.join(known) or 'none'}"
            raise UserError(f"unknown paired metric {asked}{hint}")
        self.asked = asked
        self.room = ROOMS[modality.name]
        self.likeness = self.room.PAIRED[metric](self.room.read(metric, options), modality, device)

    def seen(self, output: Tensor, target: Tensor) -> tuple[str, Tensor]:
        """What is kept [B, ...], on the CPU, of stored items and what they should be, under the protocol of it.

        That is "psnr", "psnr-y-crop4", "psnr-16bit", "ssim-gauss11", "lpips-alex@1a2b3c4d".
        """
        kept = self.likeness.seen(output, target).cpu()
        parts = [self.asked, self.room.depth(output), self.likeness.variant]
        return "-".join(part for part in parts if part), kept

    def scores(self, kept: Tensor) -> Tensor:
        """The score [N] of every item in float64, by what was kept of all [N, ...]."""
        return self.likeness.scores(kept)


def split(asked: str, known: Collection[str]) -> tuple[str, str]:
    """A metric and the options behind its name: "psnr" and "-y-crop4"; of none that is known, all of the name."""
    metric = next((name for name in known if f"{asked}-".startswith(f"{name}-")), asked)
    return metric, asked.removeprefix(metric)


def names(modality: str | None = None) -> list[str]:
    """All paired metrics, of a modality or of any."""
    return [name for known, room in ROOMS.items() if modality in (None, known) for name in room.PAIRED]


def understood(metric: str, options: str) -> None:
    """Refuses options behind a metric's name that mean nothing.

    Raises:
        UserError: they do not.
    """
    next(room for room in ROOMS.values() if metric in room.PAIRED).read(metric, options)


def estimate(scores: Tensor) -> Estimate:
    """Mean and standard error of scores [N].

    Raises:
        UserError: there are none.
    """
    if not len(scores):
        raise UserError("paired metrics: there are no pairs to compare.")
    error = float(scores.std() / len(scores) ** 0.5) if len(scores) > 1 else float("nan")
    return Estimate(float(scores.mean()), error, len(scores))
