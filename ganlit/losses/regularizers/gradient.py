"""Penalties on the discriminator's gradient by its input."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.contracts import Verdict
from ganlit.losses.regularizers.base import Regularizer


def slope(logits: Tensor, items: Tensor) -> Tensor:
    """The gradient of each logit by its item, [B, d], differentiable; of packs of m items by all of them, [B / m, m d].

    One backward of the sum serves all items, since item i moves only logit i; where batch statistics mix
    them (minibatch standard deviation), this is the usual convention of the field.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), items, create_graph=True)
    rows = gradient.flatten(1)
    packs = len(logits) if logits.ndim else len(rows)
    return rows.reshape(packs, -1) if packs < len(rows) and len(rows) % packs == 0 else rows


class R1(Regularizer):
    """Half the squared gradient on real items: Mescheder et al., arXiv 1801.04406, equation 9; `weight` is gamma."""

    def forward(self, verdict: Verdict) -> Tensor:
        return slope(verdict.real_logits, verdict.real).square().sum(dim=1).mean() / 2


class R2(Regularizer):
    """Half the squared gradient on generated items: arXiv 1801.04406, equation 10; `weight` is gamma."""

    def forward(self, verdict: Verdict) -> Tensor:
        return slope(verdict.fake_logits, verdict.fake).square().sum(dim=1).mean() / 2


class GradientPenalty(Regularizer):
    """Squared distance of the gradient's norm from one, between real and generated items.

    WGAN-GP: Gulrajani et al., arXiv 1704.00028, equation 3; `weight` is lambda, 10 in the paper. The critic makes a
    pass of its own, on one random point of the line from each real item to the generated one beside it.
    """

    def forward(self, verdict: Verdict) -> Tensor:
        real, fake = verdict.real.detach(), verdict.fake.detach()
        share = torch.rand(len(real), *[1] * (real.ndim - 1), dtype=real.dtype, device=real.device)
        between = torch.lerp(fake, real, share).requires_grad_()
        each = [slope(logits, between) for logits in verdict.judgement(between).logits]
        # Unlike a square root, this norm has a finite derivative (0) where a critic is flat.
        norms = torch.cat([torch.linalg.vector_norm(gradient, dim=1) for gradient in each])
        return (norms - 1).square().mean()

    def value(self, verdict: Verdict) -> Tensor:
        """All networks of the discriminator judge the same points, in one pass."""
        return self(verdict)
