"""Penalties on the discriminator's gradient by its input."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.contracts import Verdict
from ganlit.regularizers.base import Regularizer


def squared_gradient(logits: Tensor, images: Tensor) -> Tensor:
    """Squared norm of each logit's gradient by its image, [B] in float32, differentiable.

    One backward of the sum serves all images, since image i moves only logit i; where batch statistics mix
    them (minibatch standard deviation), this is the usual convention of the field.
    """
    (gradient,) = torch.autograd.grad(logits.float().sum(), images, create_graph=True)
    return gradient.float().square().sum(dim=(1, 2, 3))


class R1(Regularizer):
    """Half the squared gradient on real images: Mescheder et al., arXiv 1801.04406, equation 9; `weight` is gamma."""

    def forward(self, verdict: Verdict) -> Tensor:
        return squared_gradient(verdict.real_logits, verdict.real).mean() / 2
