"""What JPEG leaves of an image: ITU-T T.81, with the choices of libjpeg, which Pillow uses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation, WholeRange, constant, extent, stepped, whole_between
from ganlit.data.images.degradations.steps import counted, uncounted, whole
from ganlit.errors import UserError

SIDE = 8  # of a block in pixels
LUMA = (
    *(16, 11, 10, 16, 24, 40, 51, 61),
    *(12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77),
    *(24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101),
    *(72, 92, 95, 98, 112, 100, 103, 99),
)
"""Steps of the frequencies of a block at quality 50, row by row: tables K.1 and K.2."""
CHROMA = (
    *(17, 18, 24, 47, 99, 99, 99, 99),
    *(18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99),
    *(47, 66, 99, 99, 99, 99, 99, 99),
    *[99] * 32,
)
TO_YCC = ((19595, 38470, 7471), (-11059, -21709, 32768), (32768, -27439, -5329))
"""RGB to luma and two differences of colour about 0, in 65536ths as in libjpeg: JFIF 1.02."""
TO_RGB = ((65536, 0, 91881), (65536, -22554, -46802), (65536, 116130, 0))


class Jpeg(Degradation):
    """Saved as JPEG and read again, as Pillow does it by default: colours at half the resolution, smoothed on return.

    Args:
        quality: Pillow's, from 1 to 100.
        differentiable: round frequencies by a polynomial that has a slope, x^3 about each whole number (Shin and Song,
            "JPEG-resistant Adversarial Images", 2017), which is a little off; else the gradient passes as if nothing
            were rounded.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, quality: WholeRange = (30, 95), differentiable: bool = False) -> None:
        self.quality = extent("Jpeg.quality", quality, least=1, most=100)
        self.differentiable = differentiable

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        quality = whole_between(draws, self.quality)
        draws.tell("jpeg/quality", quality)
        if images.shape[1] not in (1, 3):
            raise UserError(f"Jpeg takes images with 1 channel or 3, not {images.shape[1]}: leave it out.")
        pixels = counted(images, 8)
        if images.shape[1] == 1:
            return uncounted(self._coded(pixels - 128, LUMA, quality) + 128, 8)
        luma, colour = mixed(pixels, TO_YCC).split((1, 2), dim=1)
        luma = self._coded(nearest(luma) - 128, LUMA, quality)
        colour = self._coded(halved(nearest(colour)), CHROMA, quality)
        return uncounted(whole(mixed(torch.cat([luma + 128, doubled(colour, luma)], dim=1), TO_RGB), 8), 8)

    def _coded(self, values: Tensor, steps: tuple[int, ...], quality: Tensor) -> Tensor:
        """Channels [B, C, H, W] of whole numbers about 0, to the same after rounding the frequencies of each block."""
        height, width = values.shape[2:]
        blocks = grown(values, SIDE, SIDE).unflatten(3, (-1, SIDE)).unflatten(2, (-1, SIDE))
        waves, step = cosines(values.device), scaled(steps, quality)
        # As in libjpeg, numbers are whole in quarters from one pass to the other, and in eighths at the end.
        passed = nearest(4 * torch.einsum("bcryqx,gx->bcryqg", blocks, waves))
        levels = nearest(torch.einsum("bcryqg,fy->bcrfqg", passed, waves) / 4) / (8 * step)
        levels = self._rounded(levels) * step
        passed = nearest(4 * torch.einsum("bcrfqg,fy->bcryqg", levels, waves))
        blocks = nearest(torch.einsum("bcryqg,gx->bcryqx", passed, waves) / 32)
        return blocks.flatten(4, 5).flatten(2, 3)[:, :, :height, :width].clamp(-128, 127)

    def _rounded(self, levels: Tensor) -> Tensor:
        values = levels.detach()
        steps = (values.abs() + 0.5).floor().copysign(values)  # halves away from zero
        return steps + (levels - steps) ** 3 if self.differentiable else stepped(levels, steps)


def nearest(values: Tensor, even: float = 0.5, odd: float = 0.5) -> Tensor:
    """Numbers rounded down after so much was added in even and in odd columns; the gradient passes straight through."""
    added = torch.where(torch.arange(values.shape[-1], device=values.device) % 2 == 0, even, odd)
    return stepped(values, (values + added).floor())


def mixed(channels: Tensor, weights: Sequence[Sequence[float]]) -> Tensor:
    """Three channels [B, 3, H, W] to others that are weighted sums of them, with weights in 65536ths."""
    sums = [sum(weight * one for weight, one in zip(row, channels.unbind(1), strict=True)) for row in weights]
    return torch.stack(sums, dim=1) / 65536


def grown(values: Tensor, rows: int, columns: int) -> Tensor:
    """[B, C, H, W] with the last rows and columns repeated until there are multiples of so many."""
    return pad(values, (0, -values.shape[3] % columns, 0, -values.shape[2] % rows), mode="replicate")


def halved(colour: Tensor) -> Tensor:
    """Colours at half the resolution, as means of four; libjpeg rounds down and up in turn where they are halfway."""
    return nearest(avg_pool2d(grown(colour, 2, 2 * SIDE), 2), 0.25, 0.5)


def doubled(colour: Tensor, luma: Tensor) -> Tensor:
    """Colours at half the resolution, rounded up, brought to that of the luma by a triangle filter."""
    height, width = luma.shape[2:]
    colour = colour[:, :, : (height + 1) // 2, : (width + 1) // 2]
    return nearest(interpolate(colour, scale_factor=2, mode="bilinear")[:, :, :height, :width], 8 / 16, 7 / 16)


def scaled(steps: tuple[int, ...], quality: Tensor) -> Tensor:
    """The steps of frequencies at each quality [B], as libjpeg scales them: [B, 1, 1, 8, 1, 8]."""
    percent = torch.where(quality < 50, 5000 // quality, 200 - 2 * quality)[:, None]
    scaled = (constant(steps, quality.device) * percent + 50) // 100
    return scaled.clamp(1, 255).view(-1, 1, 1, SIDE, 1, SIDE)


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # kept from a validation, they may stand in a graph later
def cosines(device: torch.device) -> Tensor:
    """The discrete cosine transform of a block's side, sqrt(8) times as long as orthonormal: [frequencies, places]."""
    places = torch.arange(SIDE, dtype=torch.float64)
    waves = ((2 * places + 1) * places[:, None] * (math.pi / (2 * SIDE))).cos() * math.sqrt(2)
    waves[0] = 1
    return waves.float().to(device)
