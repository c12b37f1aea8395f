"""The steps in which files count what a pixel holds."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation, stepped

WholeBits = Literal[8, 16]
"""Of a channel, where pixels are whole numbers."""


def whole(counts: Tensor, bits: WholeBits) -> Tensor:
    """Numbers brought into 0 to 2^bits - 1 and rounded, halves up as in Pillow; the gradient passes the rounding."""
    counts = counts.clamp(0, 2**bits - 1)
    return stepped(counts, (counts + 0.5).floor())


def counted(images: Tensor, bits: WholeBits) -> Tensor:
    """Images in [-1, 1] as whole numbers from 0 to 2^bits - 1."""
    return whole((images + 1) * ((2**bits - 1) / 2), bits)


def uncounted(counts: Tensor, bits: WholeBits) -> Tensor:
    """Back from the counts to [-1, 1]."""
    return counts / ((2**bits - 1) / 2) - 1


class Quantise(Degradation):
    """Rounds pixels as a file does, so that a source made at once has the steps of one that was saved.

    The gradient passes straight through.

    Args:
        bits: of a channel, 8 or 16.
    """

    def __init__(self, bits: WholeBits = 8) -> None:
        self.bits = bits

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        return uncounted(counted(images, self.bits), self.bits)
