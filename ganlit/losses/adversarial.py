"""Adversarial losses, each written on the logits l = logit D(x): log D = -softplus(-l), log(1 - D) = -softplus(l)."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from ganlit.contracts import Verdict
from ganlit.losses.base import AdversarialLoss


class Minimax(AdversarialLoss):
    """The original game, min_G max_D E[log D(x)] + E[log(1 - D(G(z)))]: Goodfellow et al., 1406.2661, equation 1."""

    def discriminator(self, verdict: Verdict) -> Tensor:
        return softplus(-verdict.real_logits).mean() + softplus(verdict.fake_logits).mean()

    def generator(self, verdict: Verdict) -> Tensor:
        return -softplus(verdict.fake_logits).mean()


class NonSaturating(Minimax):
    """G maximises E[log D(G(z))] instead, which keeps its gradient while D wins: arXiv 1406.2661, end of section 3."""

    def generator(self, verdict: Verdict) -> Tensor:
        return softplus(-verdict.fake_logits).mean()
