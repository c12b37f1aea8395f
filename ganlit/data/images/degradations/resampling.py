"""Images to another size: the resizes that people measure by, each under its own name."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation, shrunk
from ganlit.data.images.degradations.steps import WholeBits, counted, uncounted, whole
from ganlit.errors import within

Method = Literal["bicubic", "matlab", "bilinear", "area", "nearest", "aliased-bicubic", "aliased-bilinear"]
FIXED_POINT = 2**22  # Pillow keeps its weights in so many steps


def cubic(x: Tensor) -> Tensor:
    """Keys 1981, equation 15: a = -0.5."""
    x = x.abs()
    inner = (1.5 * x - 2.5) * x**2 + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x < 1, inner, torch.where(x < 2, outer, 0.0))


def triangle(x: Tensor) -> Tensor:
    return (1 - x.abs()).clamp(min=0)


class Filter(NamedTuple):
    """A separable filter that grows wider where images shrink, which keeps them from aliasing."""

    shape: Callable[[Tensor], Tensor]  # of the distance in pixels of the smaller image
    reach: int  # of those; it is zero from there on
    pillow: bool  # counts pixels inside the image alone, in fixed point; MATLAB mirrors the image at its edges


FILTERS = {
    "bicubic": Filter(cubic, 2, pillow=True),
    "bilinear": Filter(triangle, 1, pillow=True),
    "matlab": Filter(cubic, 2, pillow=False),
}
TORCH = {"area": "area", "nearest": "nearest-exact", "aliased-bicubic": "bicubic", "aliased-bilinear": "bilinear"}
"""Those that are torch's, and what it calls them; its bicubic has a = -0.75."""


@lru_cache(maxsize=64)
@torch.inference_mode(False)  # kept from a validation, they may stand in a graph later
def weights(method: str, length: int, size: int, device: torch.device) -> Tensor:
    """How much each of `length` pixels in a line counts for each of `size` others: [size, length] float64."""
    shape, reach, pillow = FILTERS[method]
    stretch = length / size
    wide = max(stretch, 1.0)
    outside = 0 if pillow else math.ceil(reach * wide)
    places = torch.arange(-outside, length + outside)
    centres = (torch.arange(size, dtype=torch.float64) + 0.5) * stretch
    near = shape((places + 0.5 - centres[:, None]) / wide)
    near /= near.sum(dim=1, keepdim=True)
    if pillow:
        return ((near * FIXED_POINT).round() / FIXED_POINT).to(device)
    mirrored = torch.minimum(places % (2 * length), -(places + 1) % (2 * length))
    return torch.zeros(size, length, dtype=torch.float64).index_add_(1, mirrored, near).to(device)


def resized(images: Tensor, height: int, width: int, method: Method, bits: WholeBits | None = None) -> Tensor:
    """Images [B, C, H, W] of another size, in [-1, 1].

    Args:
        images: in [-1, 1].
        height, width: wanted.
        method, bits: as for `Downsample`.
    """
    if bits is None:
        return resampled(images, height, width, method, bits).to(images.dtype).clamp(-1, 1)
    counts = resampled(counted(images, bits), height, width, method, bits)
    return uncounted(whole(counts, bits).to(images.dtype), bits)


def resampled(pixels: Tensor, height: int, width: int, method: Method, bits: WholeBits | None) -> Tensor:
    """The same of pixels in any unit, and not brought into their range; with bits they are counted in it."""
    if method in TORCH:
        return interpolate(pixels, (height, width), mode=TORCH[method])
    # Pillow's weights and counted pixels are short enough for sums in float64 to be exact, and so what they round to.
    between = pixels.double() @ weights(method, pixels.shape[3], width, pixels.device).T
    if bits is not None and FILTERS[method].pillow:
        between = whole(between, bits)  # Pillow keeps them so from one pass to the other
    return weights(method, pixels.shape[2], height, pixels.device) @ between


class Downsample(Degradation):
    """Fewer pixels, for super-resolution.

    Args:
        scale: by how much the sides shrink; it must divide them.
        method: `bicubic` is Pillow's, antialiased, and equal to it on images of 8 bits (Pillow 13 begins with the other
            side where images are more than twice as high as wide, and rounds otherwise there); `matlab` the bicubic
            `imresize` of MATLAB, antialiased and mirrored at the borders, by which super-resolution is measured in
            papers; `bilinear` Pillow's, too; `area` the mean of the pixels that become one; `nearest` the pixel in the
            middle; `aliased-bicubic` and `aliased-bilinear` are torch's, which Real-ESRGAN resizes with.
        bits: the steps in which pixels are counted on the way, those of files; null rounds nothing. MATLAB's `imresize`
            of images in double precision, saved with 8 bits, is what 8 give.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, scale: int, method: Method = "bicubic", bits: WholeBits | None = 8) -> None:
        within("Downsample.scale", scale, least=1, most=256)
        self.scale = scale
        self.method = method
        self.bits = bits

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        return resized(images, *shrunk(images, self.scale, "Downsample"), self.method, self.bits)


class Upsample(Degradation):
    """More pixels, as for networks whose input has the size of their output.

    Args:
        scale: by how much the sides grow.
        method, bits: as for `Downsample`.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, scale: int, method: Method = "bicubic", bits: WholeBits | None = 8) -> None:
        within("Upsample.scale", scale, least=1, most=256)
        self.scale = Fraction(1, scale)
        self.factor = scale
        self.method = method
        self.bits = bits

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        height, width = (side * self.factor for side in images.shape[-2:])
        return resized(images, height, width, self.method, self.bits)
