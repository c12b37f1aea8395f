"""How images are looked at when they are compared: how deep they are, by which channels, and without which border."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.errors import UserError

BAND = 2**20  # numbers of an image that are looked at together, in float64: an image of any size needs as little
ASKED = re.compile(r"(-y)?(?:-crop([1-9]\d{0,3}))?")


class Depth(NamedTuple):
    """The numbers that a type of stored images holds, from 0 on."""

    peak: float
    name: str  # in ids; empty for the usual one


DEPTHS = {torch.uint8: Depth(255.0, ""), torch.uint16: Depth(65535.0, "16bit"), torch.float32: Depth(1.0, "float")}


class View(NamedTuple):
    """What of images is compared, as super-resolution does it."""

    luma: bool = False  # alone, of RGB
    border: int = 0  # pixels that are left out at each side

    @classmethod
    def of(cls, metric: str, options: str) -> View:
        """What stands behind the name of a metric: "-y-crop4".

        Raises:
            UserError: it means nothing.
        """
        asked = ASKED.fullmatch(options)
        if asked is None:
            raise UserError(f"{metric} looks at images as {metric}[-y][-cropN], such as {metric}-y-crop4: write it so.")
        return cls(asked[1] is not None, int(asked[2] or 0))

    def inner(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W] without their border."""
        height, width = images.shape[-2:]
        return images[..., self.border : height - self.border, self.border : width - self.border]

    def compared(self, output: Tensor, target: Tensor, least: int, what: str) -> tuple[Tensor, Tensor]:
        """What of outputs and targets a metric compares, stored [B, C, H, W] both.

        Args:
            least: pixels a side that it needs.
            what: it is called, for the error.

        Raises:
            UserError: they are no stored images, not alike, too small, or have no Y.
        """
        if output.dtype not in DEPTHS or target.dtype not in DEPTHS or output.ndim != 4:
            raise UserError(
                f"{what} takes images [B, C, H, W] of uint8, uint16 or float32, not {output.dtype} "
                f"{list(output.shape)} and {target.dtype} {list(target.shape)}."
            )
        if (output.shape, output.dtype) != (target.shape, target.dtype):
            raise UserError(
                f"{what} compares images one to one, but the outputs are {output.dtype} {list(output.shape)} and the "
                f"targets {target.dtype} {list(target.shape)}: bring them to one number, size, colour and depth."
            )
        height, width = output.shape[-2:]
        if min(height, width) - 2 * self.border < least:
            without, advice = (f" without a border of {self.border}", ": crop less") if self.border else ("", "")
            raise UserError(
                f"{what} needs images of {least} pixel{'s' * (least > 1)} a side at least{without}, these have "
                f"{height} x {width}{advice}."
            )
        if self.luma and output.shape[1] != 3:
            channels = f"{output.shape[1]} channel{'s' * (output.shape[1] > 1)}"
            raise UserError(f"{what} of Y is that of RGB images, these have {channels}: leave out -y.")
        output, target = self.inner(output), self.inner(target)
        return (luma(output), luma(target)) if self.luma else (output, target)


def peak(images: Tensor) -> float:
    """The largest number that stored images of this type hold."""
    return DEPTHS[images.dtype].peak


@torch.no_grad()
def luma(images: Tensor) -> Tensor:
    """The Y [B, 1, H, W] of stored RGB images [B, 3, H, W], of their type, by BT.601, as MATLAB's rgb2ycbcr gives it.

    Of uint8 it is from 16 to 235, and rounded, as there; of deeper images as much deeper.
    """
    found = torch.empty_like(images[:, :1])
    for image, place in zip(images, found[:, 0], strict=True):
        for rows in bands(image.shape):
            red, green, blue = image[:, rows].double()
            value = (65.481 * red + 128.553 * green + 24.966 * blue) / 255 + 16 / 255 * peak(images)
            place[rows] = value if images.is_floating_point() else (value + 0.5).floor().to(images.dtype)
    return found


def bands(shape: torch.Size, reach: int = 1) -> Iterator[slice]:
    """Rows of an image [C, H, W], few at a time; each place of a window that reaches over so many is in one band."""
    channels, height, width = shape
    places, rows = height - reach + 1, max(1, BAND // (channels * width))
    return (slice(start, min(start + rows, places) + reach - 1) for start in range(0, places, rows))
