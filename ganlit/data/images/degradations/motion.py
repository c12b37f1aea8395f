"""Blur of a camera that moves."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Range, between, extent
from ganlit.data.images.degradations.kernels import LARGEST, Filtering

SPEED = 0.5  # in pixels a moment at most, so that a path has no gaps


class MotionBlur(Filtering):
    """The path of a camera while the shutter is open, at constant speed in a direction that wanders.

    Random paths as kernels are those of Boracchi and Foi, "Modeling the Performance of Image Restoration from Motion
    Blur", IEEE TIP 2012, and of DeblurGAN (arXiv 1711.07064, section 4.1); theirs have inertia and jerks as well.

    Args:
        length: of the path in pixels.
        shake: by how much its direction differs in the end from that of the beginning, in radians, as a standard
            deviation; 0 moves straight.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, length: Range = (3.0, 15.0), shake: Range = (0.0, 2.0)) -> None:
        self.length = extent("MotionBlur.length", length, least=0, most=LARGEST - 3)
        self.shake = extent("MotionBlur.shake", shake, least=0, most=100)

    def kernels(self, draws: Draws) -> Tensor:
        length, shake = between(draws, self.length), between(draws, self.shake)
        angle = draws.uniform(low=-math.pi, high=math.pi)
        for name, values in {"length": length, "shake": shake, "angle": angle}.items():
            draws.tell(f"motion/{name}", values)
        moments = max(math.ceil(self.length[1] / SPEED), 1)
        turns = (shake / moments**0.5)[:, None] * draws.normal(moments)
        headings = angle[:, None] + turns.cumsum(dim=1)
        step = (length / moments)[:, None]
        right, down = ((step * move).cumsum(dim=1) for move in (headings.cos(), headings.sin()))
        # No moment of a path is farther from the mean of all than its length; a pixel more is what it spreads over.
        return drawn(right, down, math.ceil(self.length[1]) + 1)


def drawn(right: Tensor, down: Tensor, reach: int) -> Tensor:
    """Paths [B, moments] in pixels, about their means, to kernels [B, 2 reach + 1, 2 reach + 1] with the sum 1.

    Each moment is spread over the four pixels around it.
    """
    places = torch.arange(-reach, reach + 1, device=right.device)
    columns, rows = (
        (1 - (places - (path - path.mean(dim=1, keepdim=True))[:, :, None]).abs()).clamp(min=0)
        for path in (right, down)
    )
    return torch.einsum("bmr,bmc->brc", rows, columns) / rows.shape[1]
