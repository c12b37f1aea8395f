"""Shapes of which everything is known: what they are, their hue, size and angle, and where they stand."""

from __future__ import annotations

import colorsys
import math
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from ganlit.data.images.source import Source
from ganlit.errors import UserError

SIDE = 64  # pixels
FINER = 4  # times, in which outlines are drawn before they are averaged
OFF = 0.4  # of the step to the next level: how far `Between` goes from one
WIDEST = 0.5  # of the side: across, of a shape of the largest size

OUTLINES = {
    "square": [(math.cos(angle), math.sin(angle)) for angle in np.pi / 4 + np.arange(4) * np.pi / 2],
    "ellipse": [(math.cos(angle), 0.6 * math.sin(angle)) for angle in np.arange(48) * math.tau / 48],
    "triangle": [(math.cos(angle), math.sin(angle)) for angle in np.arange(3) * math.tau / 3],
}
"""Within the circle of radius 1."""


class Factor(NamedTuple):
    """One of what varies, and the values that it may have."""

    name: str
    values: tuple[float | str, ...]


FACTORS = (
    Factor("shape", tuple(OUTLINES)),
    Factor("hue", tuple(np.arange(6) / 6)),  # of the full turn
    Factor("size", (0.55, 0.7, 0.85, 1.0)),  # of the widest
    Factor("angle", (0.0, 15.0, 30.0, 45.0)),  # degrees: no shape looks alike at two of them
    Factor("x", tuple(np.arange(8) / 7)),  # of the room that the widest shape has
    Factor("y", tuple(np.arange(8) / 7)),
)
COUNTS = tuple(len(factor.values) for factor in FACTORS)


class Shapes(Source):
    """Every combination of `FACTORS` once, the last factor fastest, as dSprites has them; the class is the shape.

    A shape in one colour on black, 64 pixels a side; what is known of an image follows from its number, see `levels`.

    Raises:
        UserError: the split is not "train".
    """

    name = "shapes-train"
    fingerprint = "1"  # of what is drawn: it has no file

    def __init__(self, split: str = "train") -> None:
        if split != "train":
            raise UserError(f"shapes has no split {split}: leave split out, or set it to train.")

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(OUTLINES) if self.labels else ()

    def __len__(self) -> int:
        return math.prod(COUNTS)

    def title(self, index: int) -> str:
        return f"{self.name}: image {index}"

    def label(self, index: int) -> int | None:
        return int(levels(np.array([index]))[0, 0])

    def opened(self, index: int) -> Image.Image:
        return drawn(
            *(factor.values[level] for factor, level in zip(FACTORS, levels(np.array([index]))[0], strict=True))
        )


class Between(Shapes):
    """As many shapes again, whose numbers lie off the levels, but nearer to their own than to others.

    So it can be asked whether levels are read rightly in images that nobody has seen.
    """

    name = "shapes-between"
    fingerprint = "1"

    def opened(self, index: int) -> Image.Image:
        shift = np.random.default_rng(index).uniform(-OFF, OFF, len(FACTORS))
        return drawn(*map(beside, FACTORS, levels(np.array([index]))[0], shift))


def beside(factor: Factor, level: int, shift: float) -> float | str:
    """A value so many steps beside a level, and never beyond the last; a name is what it is."""
    if isinstance(factor.values[level], str):
        return factor.values[level]
    first, second, *_ = factor.values
    return float(np.clip(factor.values[level] + shift * (second - first), first, factor.values[-1]))


def levels(numbers: np.ndarray) -> np.ndarray:
    """Which of its values each of `FACTORS` has, [N, 6], in the images of these numbers [N]."""
    return np.stack(np.unravel_index(numbers, COUNTS), 1)


def drawn(shape: str, hue: float, size: float, angle: float, x: float, y: float) -> Image.Image:
    """One image, RGB, smooth at its outline.

    Args:
        shape: one of `OUTLINES`.
        hue: from 0 to 1, at full saturation and value.
        size: in parts of the widest.
        angle: in degrees, clockwise.
        x, y: from 0 to 1, of the room that the widest shape has, from the left and from the top.
    """
    side, radius = SIDE * FINER, SIDE * FINER * WIDEST / 2
    room = side - 2 * radius
    turn = math.radians(angle)
    outline = [
        (
            radius + x * room + size * radius * (across * math.cos(turn) - down * math.sin(turn)),
            radius + y * room + size * radius * (across * math.sin(turn) + down * math.cos(turn)),
        )
        for across, down in OUTLINES[shape]
    ]
    image = Image.new("RGB", (side, side))
    colour = tuple(round(255 * value) for value in colorsys.hsv_to_rgb(hue, 1, 1))
    ImageDraw.Draw(image).polygon(outline, fill=colour)
    return image.reduce(FINER)
