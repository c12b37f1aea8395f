"""TIFF files of any number of channels, any depth, and pages that are channels."""

from __future__ import annotations

import logging
from typing import IO, Any

import numpy as np

from ganlit.data.images.foreign import ORIENTATION, Foreign, bits_of, library, numbers, refuse_large, upright
from ganlit.data.images.kind import Kind
from ganlit.data.objections import Objected, Objection

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
SAMPLES = 277  # the tag of channels in a pixel
ALPHA = 2  # what the tag of extra samples says of alpha that is not multiplied into the colours
COUNTED = (0, 1, 2)  # photometric interpretations in which numbers are brightness: white is zero, black is zero, RGB


class Tiff(Foreign):
    """The first page of a file, or all of them, where they are grey and as many as there shall be channels.

    Raises:
        Objected: the package that reads it is missing, or nothing can be made of it.
        OSError, ValueError, ...: it is damaged.
    """

    def __init__(self, fp: IO[bytes]) -> None:
        self.fp = fp
        tifffile = library("tifffile")
        logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what it says of damage is said by us
        fp.seek(0)
        self._tiff = tifffile.TiffFile(fp)
        self._page: Any = self._tiff.pages.first
        if self._page.dtype is None:
            raise ValueError("pixels of no known type")
        self.bits = bits_of(self._page.dtype)
        self.samples = self._page.samplesperpixel
        if self._page.imagedepth != 1 or int(self._page.photometric) not in COUNTED:
            raise Objected(Objection("TIFF", "is a TIFF whose numbers are no brightness", "save it as grey or RGB"))

    def size(self, channels: int | None) -> tuple[int, int]:
        size = self._page.imagewidth, self._page.imagelength
        return size[::-1] if self._orientation > 4 else size

    def read(self, channels: int | None) -> tuple[np.ndarray, Kind]:
        frames = len(self._tiff.pages)
        stacked = frames > 1 and self.samples == 1 and channels == frames
        pages = list(self._tiff.pages) if stacked else [self._page]
        width, height = self.size(None)
        refuse_large((len(pages), self.samples, width, height), width * height, self._page.dtype)
        pixels = np.concatenate([_in_depth(page) for page in pages], axis=2)
        if int(self._page.photometric) == 0:
            pixels = _inverted(pixels, self.bits)
        alpha = any(int(extra) == ALPHA for extra in self._page.extrasamples)
        kind = Kind(pixels.shape[2], alpha, self.bits, frames=1 if stacked else frames)
        return upright(pixels, self._orientation), kind

    @property
    def _orientation(self) -> int:
        tag = self._page.tags.get(ORIENTATION)
        return int(tag.value) if tag is not None else 1


def _in_depth(page: Any) -> np.ndarray:
    """The pixels of a page [H, W, C]."""
    if len(page.databytecounts) < np.prod(page.chunked) or 0 in page.databytecounts:
        raise ValueError("parts of it are missing")  # which would be black
    pixels = numbers(page.asarray())
    if page.axes == "YX":
        return pixels[..., None]
    if page.axes == "SYX":
        return pixels.transpose(1, 2, 0)
    if page.axes != "YXS":
        raise ValueError(f"axes {page.axes}")
    return pixels


def _inverted(pixels: np.ndarray, bits: int | str) -> np.ndarray:
    return 1 - pixels if bits == "float" else np.invert(pixels)
