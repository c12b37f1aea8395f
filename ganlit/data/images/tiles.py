"""Pictures cut into squares: from the top-left corner on, row by row; what is left over is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Cut(NamedTuple):
    """How a picture was cut."""

    title: str
    across: int  # tiles in a row
    down: int  # rows


def count(size: tuple[int, int], side: int) -> int:
    """How many tiles a picture (width, height) gives."""
    return (size[0] // side) * (size[1] // side)


def cut(pixels: np.ndarray, side: int) -> np.ndarray:
    """The tiles [N, C, side, side] of a picture [C, H, W]."""
    channels, height, width = pixels.shape
    down, across = height // side, width // side
    whole = pixels[:, : down * side, : across * side].reshape(channels, down, side, across, side)
    return whole.transpose(1, 3, 0, 2, 4).reshape(-1, channels, side, side)


def pictures_of(cuts: Sequence[Cut]) -> np.ndarray:
    """Of each tile of a dataset the place of its picture [N] among all of them.

    Args:
        cuts: of all pictures, in their order: `tiles` of about.json.
    """
    return np.repeat(np.arange(len(cuts)), [each.across * each.down for each in cuts])


def title(tile: int, side: int, cuts: Sequence[Cut]) -> str:
    """What a message calls a tile: its picture, and where in it its top-left corner lies, x and y in pixels."""
    pictures = pictures_of(cuts)
    picture = cuts[pictures[tile]]
    row, column = divmod(tile - int(np.searchsorted(pictures, pictures[tile])), picture.across)
    return f"{picture.title} at {column * side}, {row * side}"
