"""PNG files with 16 bits a channel in colour, which Pillow cuts to 8."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ganlit.data.images.foreign import ORIENTATION, Foreign, library, upright
from ganlit.data.images.kind import Kind


class Png(Foreign):
    """Such a file.

    Args:
        image: opened by Pillow, and not decoded.
    """

    bits = 16

    def __init__(self, image: Image.Image) -> None:
        self.fp = image.fp
        self._image = image

    def size(self, channels: int | None) -> tuple[int, int]:
        return self._image.size

    def read(self, channels: int | None) -> tuple[np.ndarray, Kind]:
        decode = library("imagecodecs").png_decode
        self.fp.seek(0)
        pixels = np.atleast_3d(decode(self.fp.read()))
        held = self._image.getexif().get(ORIENTATION, 1)
        return upright(pixels, held), Kind(pixels.shape[2], pixels.shape[2] in (2, 4), self.bits)
