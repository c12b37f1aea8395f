"""Noise of a sensor: Wang et al., arXiv 2107.10833, section 3.1."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation, Range, between, each, extent
from ganlit.data.images.degradations.colour import luma
from ganlit.data.images.degradations.steps import counted
from ganlit.errors import within


class Noise(Degradation):
    """Gaussian noise, clipped where it leaves the range of an image.

    Args:
        sigma: its standard deviation in units of 1/255 of that range, as papers count it.
        grey: probability that all channels of an image get the same noise.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, sigma: Range = 25.0, grey: float = 0.0) -> None:
        self.sigma = extent("Noise.sigma", sigma, least=0, most=255)
        within("Noise.grey", grey, least=0, most=1)
        self.grey = grey

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        sigma, grey = between(draws, self.sigma), draws.chance(self.grey)
        draws.tell("noise/sigma", sigma)
        draws.tell("noise/grey", grey)
        noise = draws.normal(*images.shape[1:])
        noise = torch.where(each(grey), noise[:, :1], noise)
        return (images + each(sigma / 127.5) * noise).clamp(-1, 1)


class PoissonNoise(Degradation):
    """Shot noise, as of a sensor that counts photons, clipped where it leaves the range of an image.

    An image that holds n different values at 8 bits is counted as if white were 2^k photons, the least power of two
    that is not below n, as in Real-ESRGAN and scikit-image; the gradient sees the noise as a constant.

    Args:
        strength: what the noise is multiplied by.
        grey: probability that all channels of an image get the same noise, that of their luma.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, strength: Range = 1.0, grey: float = 0.0) -> None:
        self.strength = extent("PoissonNoise.strength", strength, least=0, most=100)
        within("PoissonNoise.grey", grey, least=0, most=1)
        self.grey = grey

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        strength, grey = between(draws, self.strength), draws.chance(self.grey)
        draws.tell("poisson/strength", strength)
        draws.tell("poisson/grey", grey)
        seen = torch.where(each(grey), luma(images), images).detach()
        counts = counted(seen, 8)
        white = each(2 ** values(counts).log2().ceil())
        rate = counts * (white / 255)
        noise = (draws.poisson(rate) - rate) / white * 2
        noise = torch.where(each(grey), noise[:, :1], noise)
        return (images + each(strength) * noise).clamp(-1, 1)


def values(counts: Tensor) -> Tensor:
    """How many different ones of 256 there are in each of the images [B, C, H, W]: [B] float32."""
    there = torch.zeros(len(counts), 256, device=counts.device)
    return there.scatter_(1, counts.flatten(1).long(), 1.0).sum(dim=1)
