"""How deep pictures are: which values they use, and whether those that are stored can hold them."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

Bits = Literal[8, 16, "float"]
"""Of a channel."""

Range = tuple[float, float]
"""The lowest and the highest of values that are floats."""

WHITE = 2**16 - 1
WHITES: dict[Bits, int] = {8: 2**8 - 1, 16: WHITE, "float": 1}
"""What is brightest, and of alpha opaque."""

HALF = 2**15  # a set that stays below has been written with fewer bits, and turns dark when the upper 8 of 16 are kept


class Depth(NamedTuple):
    """The values of a picture; of colour, which Pillow cuts to 8 bits, they are known to 256 steps."""

    lowest: float
    highest: float
    brightest: float  # highest of all such pictures of a source, or the first one found in the upper half

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
    lowest, highest, _ = values_of(np.asarray(image))
    if not image.mode.startswith("I"):
        lowest, highest = lowest * 256, highest * 256 + 255
    return Depth(lowest, highest, highest)


def values_of(pixels: np.ndarray) -> Depth:
    """The same of pixels of any type: NaN where one is."""
    if not pixels.size:
        return Depth(0, 0, 0)
    lowest, highest = pixels.min().item(), pixels.max().item()
    return Depth(lowest, highest, highest)


def upper_bits(image: Image.Image) -> Image.Image:
    """A grey picture of 16 bits, in 8."""
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
