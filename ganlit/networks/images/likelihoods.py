"""How probable a stored image is where a network expects another: what bits per dimension are counted by."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.special import log_ndtr

from ganlit.networks.layers import wide

HALF_BIN = 1 / 255
"""Of 8 bits, in the range from -1 to 1."""


class DiscretisedNormal(Distribution):
    """A normal distribution over the 256 values of a pixel: each has what falls on the bin of width 2/255 around it.

    The first and the last bin are open, so that all add up to one: Ho et al., arXiv 2006.11239, equation 13.

    Args:
        mean: [B, ...] in the range of [-1, 1].
        scale: standard deviation, one for all or [B, ...].
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        super().__init__(mean.shape, validate_args=False)
        self.mean_, self.scale = wide(mean), wide(scale)

    @property
    def mean(self) -> Tensor:
        return self.mean_

    def log_prob(self, value: Tensor) -> Tensor:
        """[B, ...] in nats, of values in [-1, 1]."""
        lower = (value - HALF_BIN - self.mean_) / self.scale
        upper = (value + HALF_BIN - self.mean_) / self.scale
        flip = lower + upper > 0  # the tail in which the distribution function is small and exact
        left, right = torch.where(flip, -upper, lower), torch.where(flip, -lower, upper)
        left, right = log_ndtr(left), log_ndtr(right)
        inside = right + (-torch.expm1(left - right)).log()
        open_below = torch.where(value < HALF_BIN - 1, log_ndtr(upper), inside)
        return torch.where(value > 1 - HALF_BIN, log_ndtr(-lower), open_below)


class GreyBernoulli(Distribution):
    """Black or white, grey read as how often a pixel is white: Kingma and Welling, arXiv 1312.6114, appendix C.1.

    For values between black and white it is no probability, but the cross entropy that VAEs are trained with.

    Args:
        mean: [B, ...] in [-1, 1], from surely black to surely white; kept a millionth away from both.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}

    def __init__(self, mean: Tensor) -> None:
        super().__init__(mean.shape, validate_args=False)
        self.mean_ = wide(mean)

    @property
    def mean(self) -> Tensor:
        return self.mean_

    def log_prob(self, value: Tensor) -> Tensor:
        """[B, ...] in nats, of values in [-1, 1]."""
        white, share = ((1 + self.mean_) / 2).clamp(1e-6, 1 - 1e-6), (1 + value) / 2
        return share * white.log() + (1 - share) * (-white).log1p()
