"""Criteria of how far a generator's output is from what it should be."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

from ganlit.errors import within
from ganlit.losses.base import Attempt, Criterion


class L1(Criterion):
    """Mean absolute difference: pix2pix, Isola et al., arXiv 1611.07004, equation 3."""

    def forward(self, attempt: Attempt) -> Tensor:
        return l1_loss(attempt.output, attempt.target)


class L2(Criterion):
    """Mean squared difference."""

    def forward(self, attempt: Attempt) -> Tensor:
        return mse_loss(attempt.output, attempt.target)


class Charbonnier(Criterion):
    """A differentiable L1: Lai et al., arXiv 1710.01992, equation 6.

    Args:
        weight: its factor.
        name: what it is logged by.
        epsilon: difference below which it is more like L2.
    """

    def __init__(self, weight: float = 1.0, name: str | None = None, epsilon: float = 1e-3) -> None:
        super().__init__(weight, name)
        within("Charbonnier.epsilon", epsilon, above=0)
        self.epsilon = epsilon

    def forward(self, attempt: Attempt) -> Tensor:
        return ((attempt.output - attempt.target).square() + self.epsilon**2).sqrt().mean()


class FeatureMatching(Criterion):
    """L1 over the discriminator's inner layers, their mean over layers and networks.

    Larsen et al., arXiv 1512.09300, equation 7, where D's features first took the place of pixels; as an L1 over all
    layers, pix2pixHD, Wang et al., arXiv 1711.11585, equation 4. The target's features are constants.
    """

    asks_discriminator = True

    def forward(self, attempt: Attempt) -> Tensor:
        networks = [
            torch.stack([l1_loss(made, true.detach()) for true, made in zip(*layers, strict=True)]).mean()
            for layers in attempt.features
        ]
        return torch.stack(networks).mean()
