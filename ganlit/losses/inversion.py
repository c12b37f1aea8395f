"""Criteria of encoders into the space of a generator's styles."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import mse_loss

from ganlit.losses.base import Attempt, Criterion


class Styles(Criterion):
    """Mean squared difference of styles found in a generator's own images from those that these were made of.

    What encoders learnt by before they saw other images: Zhu et al., arXiv 2004.00049, equation 1.
    """

    def forward(self, attempt: Attempt) -> Tensor:
        return mse_loss(attempt.handed("found", self), attempt.handed("asked", self))


class Offsets(Criterion):
    """Mean square of what styles of layers differ by from a common one: Tov et al., arXiv 2102.02766, section 4.1."""

    def forward(self, attempt: Attempt) -> Tensor:
        return attempt.handed("offsets", self).square().mean()
