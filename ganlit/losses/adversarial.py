"""Adversarial losses, each written on the logits l = logit D(x): log D = -softplus(-l), log(1 - D) = -softplus(l)."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import relu, softplus

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


class Wasserstein(AdversarialLoss):
    """The critic estimates the earth mover's distance: Arjovsky et al., arXiv 1701.07875, equations 2 and 3.

    The estimate holds for a critic of bounded slope, which `GradientPenalty` asks for.
    """

    def discriminator(self, verdict: Verdict) -> Tensor:
        return verdict.fake_logits.mean() - verdict.real_logits.mean()

    def generator(self, verdict: Verdict) -> Tensor:
        return -verdict.fake_logits.mean()


class Hinge(Wasserstein):
    """D pays only within a margin of one: Lim and Ye, arXiv 1705.02894; Miyato et al., 1802.05957, equations 16, 17."""

    def discriminator(self, verdict: Verdict) -> Tensor:
        return relu(1 - verdict.real_logits).mean() + relu(1 + verdict.fake_logits).mean()


class LeastSquares(AdversarialLoss):
    """Regression to 1 for real and 0 for generated items: Mao et al., arXiv 1611.04076, equation 9."""

    def discriminator(self, verdict: Verdict) -> Tensor:
        return ((verdict.real_logits - 1).square().mean() + verdict.fake_logits.square().mean()) / 2

    def generator(self, verdict: Verdict) -> Tensor:
        return (verdict.fake_logits - 1).square().mean() / 2


class Relativistic(AdversarialLoss):
    """Real item i has only to look more real than generated item i, and the reverse for G.

    The relativistic standard GAN of Jolicoeur-Martineau, arXiv 1807.00734; as the relativistic pairing loss of R3GAN,
    Huang et al., arXiv 2501.05441, equation 2. The batches of both kinds are equally large.
    """

    def discriminator(self, verdict: Verdict) -> Tensor:
        return softplus(verdict.fake_logits - verdict.real_logits).mean()

    def generator(self, verdict: Verdict) -> Tensor:
        return softplus(verdict.real_logits - verdict.fake_logits).mean()


class RelativisticAverage(AdversarialLoss):
    """Real items have to look more real than generated ones do on average, and the reverse for G.

    The relativistic average GAN of arXiv 1807.00734, as in ESRGAN, Wang et al., arXiv 1809.00219, equations 1 and 2;
    ESRGAN's code halves both, so that its weight of 0.005 is 0.0025 here. The averages are over a rank's micro-batch:
    neither ranks nor accumulation are exactly one batch, as with batch normalisation.
    """

    compares = True

    def discriminator(self, verdict: Verdict) -> Tensor:
        real, fake = relative(verdict)
        return softplus(-real).mean() + softplus(fake).mean()

    def generator(self, verdict: Verdict) -> Tensor:
        real, fake = relative(verdict)
        return softplus(real).mean() + softplus(-fake).mean()


def relative(verdict: Verdict) -> tuple[Tensor, Tensor]:
    """Real and generated logits, each less the mean of the others."""
    real, fake = verdict.real_logits, verdict.fake_logits
    return real - fake.mean(), fake - real.mean()
