"""Pictures that are arrays in NumPy's format, alone (NPY) or packed (NPZ)."""

from __future__ import annotations

import io
import zipfile
from tokenize import TokenError
from typing import IO

import numpy as np
from numpy.lib import format as npy
from PIL import UnidentifiedImageError

from ganlit.data.images.foreign import Foreign, bits_of, numbers, refuse_large
from ganlit.data.images.kind import Kind
from ganlit.data.objections import Objected, Objection

MAGIC, PACKED = b"\x93NUMPY", b"PK\x03\x04"
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class Array(Foreign):
    """One array [H, W], [H, W, C] or [C, H, W].

    Of three axes, the last one is that of the channels if it is as long as `channels`, else the first one if it is.
    Where neither is, or `channels` is not said, the shorter one of both is.

    Raises:
        Objected: it is no such array.
        OSError, ValueError, ...: it is damaged.
    """

    def __init__(self, fp: IO[bytes]) -> None:
        self.fp = fp
        fp.seek(0)
        self._content = _unpacked(fp) if fp.read(len(PACKED)) == PACKED else fp
        self._content.seek(0)
        self.shape, dtype = _header(self._content)
        self.bits = bits_of(dtype)
        if len(self.shape) not in (2, 3):
            reason = f"is an array of the shape {'x'.join(map(str, self.shape)) or 'of one number'}"
            remedy = "save an array [H, W], [H, W, C] or [C, H, W] for each picture"
            raise Objected(Objection("shape", reason, remedy))
        width, height = self.size(None)
        refuse_large(self.shape, width * height, dtype)

    def size(self, channels: int | None) -> tuple[int, int]:
        height, width = self.shape[1:] if self._first(channels) else self.shape[:2]
        return width, height

    def read(self, channels: int | None) -> tuple[np.ndarray, Kind]:
        pixels = numbers(self._array())
        if pixels.ndim == 2:
            pixels = pixels[..., None]
        elif self._first(channels):
            pixels = pixels.transpose(1, 2, 0)
        return pixels, Kind(pixels.shape[2], bits=self.bits)

    def _array(self) -> np.ndarray:
        """All of it: mapped, if it lies in a file as it is, so that it may be larger than memory."""
        if isinstance(self._content, io.BufferedReader):
            return npy.open_memmap(self._content.name, mode="c")
        self._content.seek(0)
        return npy.read_array(self._content, allow_pickle=False)

    def _first(self, channels: int | None) -> bool:
        """Whether the channels are the first of three axes."""
        if len(self.shape) == 2:
            return False
        first, last = self.shape[0], self.shape[2]
        return first == channels != last or (channels not in (first, last) and first < last)


def _header(content: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type."""
    version = npy.read_magic(content)
    if version not in HEADERS:
        raise ValueError(f"version {version} of NumPy's format")
    try:
        shape, _, dtype = HEADERS[version](content)
    except TokenError as error:
        raise ValueError(f"its header: {error}") from None
    return shape, dtype


def _unpacked(fp: IO[bytes]) -> IO[bytes]:
    """The one array in a packed file.

    Raises:
        UnidentifiedImageError: it is packed, but not of arrays.
    """
    packed = zipfile.ZipFile(fp)
    names = packed.namelist()
    if not names or not all(name.endswith(".npy") for name in names):
        raise UnidentifiedImageError("no arrays")
    if len(names) > 1:
        reason = f"holds {len(names)} arrays"
        remedy = "give it as the source itself, or save each array in a file of its own"
        raise Objected(Objection("shape", reason, remedy))
    return packed.open(names[0])
