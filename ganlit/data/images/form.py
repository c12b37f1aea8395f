"""The form that every picture of a dataset is brought into."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np

from ganlit.data.images.depth import WHITES, Bits, Range
from ganlit.errors import UserError

OneFit = Literal["exact", "resize", "crop", "pad"]
Fit = Literal[OneFit, "tiles"]
AnyFit = Literal[OneFit, "any"]

DTYPES: dict[Bits, type[np.generic]] = {8: np.uint8, 16: np.uint16, "float": np.float32}


class Form(NamedTuple):
    """The form that every picture of a dataset is brought into.

    Another size is refused (exact), resized, cropped to the central square and resized, set on black (pad), cut into
    as many squares as it holds (tiles), or left as it is (any), which only some networks take. Where `convert` is set,
    other kinds become grey or RGB, or these with alpha: repeated, weighted, composited on black, the first of several
    frames, cut to the upper 8 bits. Less than 16 bits become 16 unasked, for nothing is lost. Numbers of classes stay
    what they are: of those that are resized, the nearest is kept, and beside what is set on a ground there are none.
    """

    resolution: int
    channels: int  # 1 of grey, 3 of RGB, 2 and 4 of these with alpha; any number of those that are just numbered
    fit: Fit | AnyFit = "exact"
    convert: bool = False
    depth: Bits = 8
    range: Range = (0.0, 1.0)  # of floats: what is stored as 0, and what as 1
    labels: int = 0  # of maps, whose one channel holds the numbers of so many classes; 0 of pictures

    @property
    def plain(self) -> bool:
        """Whether Pillow holds all of it."""
        return self.depth == 8 and self.channels in (1, 3) and not self.labels

    @property
    def dtype(self) -> np.dtype:
        """Of what is stored."""
        return np.dtype(DTYPES[self.depth])

    @property
    def white(self) -> int:
        """The highest value that is stored; the lowest is 0."""
        return WHITES[self.depth]

    def __repr__(self) -> str:
        """Without what is as it was when pictures of 8 bits were all that there were: caches are found by it."""
        first, deep, numbered = self._fields[:4], ("depth", "range"), ("labels",)
        told = (*first, *(deep if self.depth != 8 else ()), *(numbered if self.labels else ()))
        return f"Form({', '.join(f'{name}={getattr(self, name)!r}' for name in told)})"


def range_of(key: str, depth: Bits, range: Range) -> Range:
    """The same range, where it means something.

    Args:
        key: where it stands, as a user would write it.
        depth: that it is said with.
        range: the lowest and the highest value.

    Raises:
        UserError: it does not.
    """
    low, high = (float(np.float32(end)) for end in range)
    if not (math.isfinite(high - low) and low < high):
        raise UserError(f"{key} is {list(range)}: it must be two finite numbers, of which the first is the lower one.")
    if depth != "float" and (low, high) != Form._field_defaults["range"]:
        raise UserError(f"{key} is {list(range)}, and only floats have one: set depth: float, or leave it out.")
    return low, high
