"""Criteria of variational autoencoders: Kingma and Welling, arXiv 1312.6114, equation 3.

Both parts of the bound are in nats for each number of the target: so they weigh against one another as in the paper,
and against other criteria, which are means over these numbers, at any size.
"""

from __future__ import annotations

from torch import Tensor
from torch.distributions import Normal, kl_divergence

from ganlit.losses.base import Attempt, Criterion


class NLL(Criterion):
    """Minus the logarithm of the likelihood of the target under the generator's answer."""

    def forward(self, attempt: Attempt) -> Tensor:
        return -attempt.handed("likelihood", self).log_prob(attempt.target).mean()


class KL(Criterion):
    """Divergence of the posterior from a standard normal prior; its weight is the beta of arXiv 1804.03599."""

    def forward(self, attempt: Attempt) -> Tensor:
        posterior: Normal = attempt.handed("posterior", self)
        nats = kl_divergence(posterior, Normal(0.0, 1.0))
        return nats.sum() / attempt.target.numel()
