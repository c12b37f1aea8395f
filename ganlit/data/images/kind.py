"""What the pixels of a picture are: how many channels, which of them is alpha, how deep."""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image

from ganlit.data.images.depth import Bits

COLOURS = {1: "grey", 3: "RGB"}
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
"""By the number of channels what Pillow calls 8 bits of each; the last of 2 and of 4 is alpha."""

KNOWN = {"1": "L", "L": "L", "RGB": "RGB", "P": "RGB", "YCbCr": "RGB"}
"""By Pillow's mode the one of grey or RGB that holds the same; those of print colours are not among them."""

LAYERED = {"MPO", "PSD"}
"""Formats whose further frames are previews, gain maps or layers of the one picture, which comes first."""


class Kind(NamedTuple):
    """What the pixels of a picture are."""

    channels: int  # with alpha; 3 of print colours, which are seen as RGB
    alpha: bool = False  # whether the last one is
    bits: Bits = 8  # a channel
    print: bool = False  # whether its colours are those of CMYK or the like
    frames: int = 1

    @property
    def pictorial(self) -> bool:
        """Whether the channels are those of grey or colours, with alpha or without, and not just numbered."""
        return self.channels - self.alpha in COLOURS

    @property
    def colours(self) -> str:
        if self.print:
            return "CMYK"
        if self.alpha:
            return "alpha"
        return COLOURS.get(self.channels, f"{self.channels} channels")

    def __str__(self) -> str:
        depth = {8: "", 16: "16-bit ", "float": "float "}[self.bits]
        return f"{depth}{self.colours}{' animated' if self.frames > 1 else ''}"


GREY, RGB = Kind(1), Kind(3)


def kind_of(image: Image.Image, deep: bool, frames: int = 1) -> Kind:
    """What the pixels of a decoded picture are.

    Args:
        image: decoded by Pillow.
        deep: whether its file has 16 bits a channel, see `is_deep`.
        frames: how many its file has.
    """
    if image.mode == "F":
        return Kind(1, bits="float", frames=frames)
    bits: Bits = 16 if deep else 8
    if image.mode.startswith("I"):
        return Kind(1, bits=bits, frames=frames)
    if image.has_transparency_data:
        return Kind(2 if image.mode in ("1", "L", "LA", "La") else 4, True, bits, frames=frames)
    known = KNOWN.get(image.mode)
    return Kind(1 if known == "L" else 3, False, bits, known is None, frames)


def frames_of(image: Image.Image) -> int:
    """How many pictures the file of an opened one holds.

    Raises:
        OSError, SyntaxError, ValueError, ...: whatever Pillow makes of damaged data.
    """
    return 1 if image.format in LAYERED else getattr(image, "n_frames", 1)
