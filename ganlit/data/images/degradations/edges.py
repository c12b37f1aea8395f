"""Images as the lines in them."""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn.functional import conv2d

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation, constant
from ganlit.data.images.degradations.kernels import mirrored
from ganlit.errors import within

ACROSS = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
SOBEL = (ACROSS, tuple(zip(*ACROSS, strict=True)))
LAPLACIAN = (((0, 1, 0), (1, -4, 1), (0, 1, 0)),)
FILTERS = {"sobel": (SOBEL, 4), "laplacian": (LAPLACIAN, 2)}
"""Kernels, and what they make of the edge, or the line of one pixel, from black to white."""


class Edges(Degradation):
    """Where an image changes, light on dark, in one channel: at each pixel the strongest edge among its colours.

    Args:
        filter: `sobel`, the length of the gradient, for which an upright edge from black to white is white; or
            `laplacian`, the size of the second derivative, for which a white line of one pixel on black is.
        gain: what edges are multiplied by, before what is brighter than white is cut.

    Raises:
        UserError: the gain is out of its range.
    """

    def __init__(self, filter: Literal["sobel", "laplacian"] = "sobel", gain: float = 1.0) -> None:
        within("Edges.gain", gain, above=0, most=1000)
        self.filter = filter
        self.gain = gain

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        kernels, white = FILTERS[self.filter]
        # What is white in units of images, which reach over two, from -1 to 1.
        weights = constant(kernels, images.device)[:, None].to(images.dtype) / (2 * white)
        changes = conv2d(mirrored(images, 1).flatten(0, 1)[:, None], weights).unflatten(0, images.shape[:2])
        strength = (changes.square().sum(dim=2) + 1e-12).sqrt()  # whose gradient would be infinite at zero
        return (self.gain * strength.amax(dim=1, keepdim=True)).clamp(max=1) * 2 - 1
