"""Criteria of vector quantisation: van den Oord et al., arXiv 1711.00937, equation 3, means over all numbers."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import mse_loss

from ganlit.losses.base import Attempt, Criterion


class Codebook(Criterion):
    """Moves the chosen vectors towards what the encoder said; for codebooks that learn by gradient."""

    def forward(self, attempt: Attempt) -> Tensor:
        return mse_loss(attempt.handed("quantized", self), attempt.handed("latent", self).detach())


class Commitment(Criterion):
    """Keeps what the encoder says near the vectors that stand for it; the paper's weight is 0.25."""

    def __init__(self, weight: float = 0.25, name: str | None = None) -> None:
        super().__init__(weight, name)

    def forward(self, attempt: Attempt) -> Tensor:
        return mse_loss(attempt.handed("latent", self), attempt.handed("quantized", self).detach())
