"""Pictures of 16 bits a channel: which values they use, and whether 8 bits can hold them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

WHITE = 2**16 - 1
HALF = 2**15  # a set that stays below has been written with fewer bits, and turns dark when the upper 8 of 16 are kept


class Depth(NamedTuple):
    """The values of a picture; of colour, which Pillow cuts to 8 bits, they are known to 256 steps."""

    lowest: int
    highest: int
    brightest: int  # highest of all such pictures of a source, or the first one found in the upper half

    @property
    def held(self) -> bool:
        """Whether 16 bits hold them: Pillow keeps such pictures in 32."""
        return self.lowest >= 0 and self.highest <= WHITE

    @property
    def dark(self) -> bool:
        """Whether the upper 8 bits of all these pictures are nearly black, where the pictures are not."""
        return 0 < self.brightest < HALF

    @property
    def fits(self) -> bool:
        """Whether the upper 8 of 16 bits show what is to be seen."""
        return self.held and not self.dark


def is_deep(image: Image.Image) -> bool:
    """Whether a picture that is opened, but not decoded, has more than 8 bits a channel."""
    # Pillow cuts 16-bit colour to 8 bits without a word: only the raw mode of the undecoded file tells.
    return image.mode.startswith("I") or any(";16" in str(tile[3]) for tile in getattr(image, "tile", []))


def depth_of(image: Image.Image) -> Depth:
    """What the values of a decoded picture are, which for now stands for all pictures of its source."""
    pixels = np.asarray(image)
    lowest, highest = int(pixels.min()), int(pixels.max())
    if not image.mode.startswith("I"):
        lowest, highest = lowest << 8, (highest << 8) + 255
    return Depth(lowest, highest, highest)


def upper_bits(image: Image.Image) -> Image.Image:
    """A grey picture of 16 bits, in 8."""
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
