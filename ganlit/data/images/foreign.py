"""Files of pixels that Pillow does not hold: more than four channels, colour of 16 bits, arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from types import ModuleType
from typing import IO, Self

import numpy as np

from ganlit.data.images.depth import Bits
from ganlit.data.images.kind import Kind
from ganlit.data.images.limits import VARIABLE, most_bytes, most_pixels
from ganlit.data.objections import Objected, Objection

ORIENTATION = 274  # the tag, of EXIF and TIFF alike, of how the camera was held


class Foreign(ABC):
    """Such a file, opened and not decoded, as Pillow's images are.

    Attributes:
        fp: the file.
        bits: of a channel.
    """

    fp: IO[bytes]
    bits: Bits

    @abstractmethod
    def size(self, channels: int | None) -> tuple[int, int]:
        """Width and height.

        Args:
            channels: how many are wanted, which tells how axes are meant that can be several things.
        """

    @abstractmethod
    def read(self, channels: int | None) -> tuple[np.ndarray, Kind]:
        """The pixels [H, W, C], upright, of any type of numbers, and what they are.

        Raises:
            Objected: nothing can be made of them.
            OSError, ValueError, ...: whatever the libraries make of damaged data.
        """

    def close(self) -> None:
        self.fp.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def library(name: str) -> ModuleType:
    """A package that only such files need.

    Raises:
        Objected: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        reason = f"has more than 3 x 8 bits, which takes the package {name}"
        raise Objected(Objection("package", reason, 'run pip install "ganlit[deep]"', spare=False)) from None


def bits_of(dtype: np.dtype) -> Bits:
    """How deep numbers of a type are.

    Raises:
        Objected: they are no pixels.
    """
    if dtype.kind not in "buif":
        reason = f"holds values of the type {dtype}"
        raise Objected(Objection("type of values", reason, "save them as uint8, uint16 or float32"))
    if dtype.kind == "f":
        return "float"
    return 8 if dtype.itemsize == 1 and dtype.kind in "bu" else 16


def numbers(pixels: np.ndarray) -> np.ndarray:
    """The same pixels where they are numbers; black and white where they are false and true."""
    return pixels.astype(np.uint8) * 255 if pixels.dtype == np.bool_ else pixels


def refuse_large(shape: tuple[int, ...], pixels: int, dtype: np.dtype) -> None:
    """Refuses what would take more memory than a picture may.

    Raises:
        Objected: it does.
    """
    size = dtype.itemsize * int(np.prod(shape, dtype=object))
    if pixels > most_pixels() or size > most_bytes():
        reason = f"is too large ({pixels:,} pixels, {size / 1e6:,.0f} MB)"
        raise Objected(Objection("too large", reason, f"shrink it, or set {VARIABLE} to more", spare=False))


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels [H, W, C] as they are to be seen, by the number that EXIF and TIFF give how the camera was held."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
