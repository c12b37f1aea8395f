"""Blur of a lens, and the ringing of sharpened images: Wang et al., arXiv 2107.10833, sections 3.1 and 3.3."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Range, WholeRange, between, extent
from ganlit.data.images.degradations.kernels import Filtering, cut, odd_between, odd_extent, plane


class Blur(Filtering):
    """A bell-shaped kernel: equations 2 and 3 and the plateau beside them; q is the squared distance in sigmas.

    Args:
        sigma: width of the bell in pixels; where `anisotropic`, its two axes are drawn from it one by one.
        anisotropic: bells are long in one direction, of any angle, instead of round.
        shape: `gaussian`, exp(-q^beta / 2), or `plateau`, 1 / (1 + q^beta).
        beta: steepness, 1 for the usual Gaussian; of a range around 1 one side counts as often as the other.
        size: sides of the kernels in pixels, odd.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self,
        sigma: Range = (0.2, 3.0),
        anisotropic: bool = False,
        shape: Literal["gaussian", "plateau"] = "gaussian",
        beta: Range = 1.0,
        size: WholeRange = (7, 21),
    ) -> None:
        self.sigma = extent("Blur.sigma", sigma, least=0.05, most=100)
        self.beta = extent("Blur.beta", beta, least=0.1, most=100)
        self.size = odd_extent("Blur.size", size)
        self.anisotropic = anisotropic
        self.shape = shape

    def kernels(self, draws: Draws) -> Tensor:
        size, sigma, beta = odd_between(draws, self.size), between(draws, self.sigma), self._beta(draws)
        told = {"size": size, "sigma": sigma, "beta": beta}
        right, below = plane(self.size[1], sigma.device)
        if self.anisotropic:
            second, angle = between(draws, self.sigma), draws.uniform(low=-math.pi, high=math.pi)
            told |= {"second-sigma": second, "angle": angle}
            cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
            right, below = cosine * right + sine * below, cosine * below - sine * right
        else:
            second = sigma
        for name, values in told.items():
            draws.tell(f"blur/{name}", values)
        distance = (right / sigma[:, None, None]) ** 2 + (below / second[:, None, None]) ** 2
        steep = distance ** beta[:, None, None]
        return cut((-steep / 2).exp() if self.shape == "gaussian" else 1 / (1 + steep), size)

    def _beta(self, draws: Draws) -> Tensor:
        low, high = self.beta
        middle = min(max(1.0, low), high)
        gentle, steep = between(draws, (low, middle)), between(draws, (middle, high))
        return torch.where(draws.chance(0.5), gentle, steep)


class Sinc(Filtering):
    """An ideal low-pass in the plane, cut to a square, which rings: equation 6.

    Args:
        cutoff: the highest frequency that passes, in radians a pixel, up to pi.
        size: sides of the kernels in pixels, odd.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, cutoff: Range = (math.pi / 3, math.pi), size: WholeRange = (7, 21)) -> None:
        self.cutoff = extent("Sinc.cutoff", cutoff, least=0.1, most=3.1416)
        self.size = odd_extent("Sinc.size", size)

    def kernels(self, draws: Draws) -> Tensor:
        size, cutoff = odd_between(draws, self.size), between(draws, self.cutoff)
        draws.tell("sinc/size", size)
        draws.tell("sinc/cutoff", cutoff)
        right, below = plane(self.size[1], cutoff.device)
        distance, cutoff = (right**2 + below**2).sqrt(), cutoff[:, None, None]
        middle = distance == 0
        distance = distance.masked_fill(middle, 1.0)
        around = cutoff * torch.special.bessel_j1(cutoff * distance) / (2 * math.pi * distance)
        return cut(torch.where(middle, cutoff**2 / (4 * math.pi), around), size)
