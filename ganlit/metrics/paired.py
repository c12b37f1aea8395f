"""How close items are to the very ones they should be, or how good by themselves: metrics of single items by name."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from types import ModuleType
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.errors import UserError, nearest
from ganlit.metrics import plain
from ganlit.metrics.likeness import Likeness
from ganlit.metrics.rooms import rooms

ROOMS = rooms("paired")
"""By modality what builds a metric by its name (`PAIRED`, or `ALONE` if it asks for no target) and tells whether higher
or lower is `BETTER`; `read`, by which options behind a name are understood; and `depth`, what ids say of items that are
stored in an unusual way."""

BETTER = {name: better for room in ROOMS.values() for name, better in room.BETTER.items()}


class Estimate(NamedTuple):
    """A mean over items."""

    value: float
    error: float  # standard error of the mean; nan for one item
    count: int


class Comparison:
    """A metric of single items as it is asked for, with options behind its name, such as "psnr-y-crop4".

    Args:
        asked: its name; few need weights.
        modality: of the items.
        device: of the items.

    Raises:
        UserError: there is no such metric, or its weights are not there.
    """

    def __init__(self, asked: str, modality: Modality, device: torch.device | str = "cpu") -> None:
        metric, options = split(asked, known := [*names(modality.name), *alone(modality.name)])
        if metric not in known:
            hint = nearest(asked, known) or f"; known here: {', '.join(known) or 'none'}"
            raise UserError(f"unknown paired metric {asked}{hint}")
        self.asked = asked
        self.room = ROOMS[modality.name]
        self.alone = metric not in self.room.PAIRED
        build = by_name(self.room)[metric]
        self.likeness = build(self.room.read(metric, options), modality, device)

    def seen(self, output: Tensor, target: Tensor | None = None) -> tuple[str, Tensor]:
        """What is kept [B, ...], on the CPU, of stored items and what they should be, under the protocol of it.

        That is "psnr", "psnr-y-crop4", "psnr-16bit", "ssim-gauss11", "lpips-alex@1a2b3c4d".
        """
        kept = self.likeness.seen(*([output] if self.alone else [output, target])).cpu()
        parts = [self.asked, self.room.depth(output), self.likeness.variant]
        return "-".join(part for part in parts if part), kept

    def scores(self, kept: Tensor) -> Tensor:
        """The score [N] of every item in float64, by what was kept of all [N, ...]; of fewer, where some have none."""
        return self.likeness.scores(kept)


def split(asked: str, known: Collection[str]) -> tuple[str, str]:
    """A metric and the options behind its name: "psnr" and "-y-crop4"; of none that is known, all of the name."""
    metric = next((name for name in known if f"{asked}-".startswith(f"{name}-")), asked)
    return metric, asked.removeprefix(metric)


def names(modality: str | None = None) -> list[str]:
    """All paired metrics, of a modality or of any."""
    return [name for known, room in ROOMS.items() if modality in (None, known) for name in room.PAIRED]


def alone(modality: str | None = None) -> list[str]:
    """All metrics of items by themselves, of a modality or of any."""
    there = names(modality)
    rooms = (room for known, room in ROOMS.items() if modality in (None, known))
    return [name for room in rooms for name in by_name(room) if name not in there]


def by_name(room: ModuleType) -> dict[str, Callable[..., Likeness]]:
    """What builds all metrics of single items of a room."""
    return room.PAIRED | getattr(room, "ALONE", {})


def understood(metric: str, options: str) -> None:
    """Refuses options behind a metric's name that mean nothing.

    Raises:
        UserError: they do not.
    """
    if metric in plain.names():
        plain.understood(metric, options)
    else:
        next(room for room in ROOMS.values() if metric in by_name(room)).read(metric, options)


def asked_for(metric: str, variant: str) -> str:
    """What of a variant in an id stood behind the metric's name: "-y-crop4" of "y-crop4-gauss11"; the rest is its own.

    Of a metric of sets that is nothing.
    """
    if metric in [*names(), *alone(), *plain.names()]:
        words = variant.split("-")
        for count in range(len(words), 0, -1):
            options = "".join(f"-{word}" for word in words[:count])
            with suppress(UserError):
                understood(metric, options)
                return options
    return ""


def estimate(scores: Tensor) -> Estimate:
    """Mean and standard error of scores [N].

    Raises:
        UserError: there are none.
    """
    if not len(scores):
        raise UserError("paired metrics: there are no pairs to compare.")
    error = float(scores.std() / len(scores) ** 0.5) if len(scores) > 1 else float("nan")
    return Estimate(float(scores.mean()), error, len(scores))
