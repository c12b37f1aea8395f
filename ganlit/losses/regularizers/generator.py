"""Penalties on how the generator answers to its latent."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganlit.contracts import Verdict
from ganlit.errors import within
from ganlit.losses.regularizers.base import GeneratorRegularizer


def path_lengths(images: Tensor, latent: Tensor) -> Tensor:
    """How far each image moves with its latent, along a random direction of image space: [B], differentiable.

    The direction is normal noise over the square root of the pixels; of styles [B, layers, w_dim] the squared lengths
    are averaged over the layers. So measured, the weight of StyleGAN2's appendix B is 2 at every resolution r:
    r^2 times layers = 2 log2(r) - 2 times its gamma = ln 2 / (r^2 (ln r - ln 2)).
    """
    direction = torch.randn_like(images) / math.sqrt(images.shape[2:].numel())
    (gradient,) = torch.autograd.grad((images * direction).sum(), latent, create_graph=True)
    # Unlike a square root, this norm has a finite derivative (0) where a generator is flat.
    return torch.linalg.vector_norm(gradient.flatten(1), dim=1) / math.sqrt(latent.shape[1:-1].numel())


class PathLength(GeneratorRegularizer):
    """Squared distance of path lengths from their running mean: StyleGAN2, Karras et al., arXiv 1912.04958, equation 4.

    Args:
        weight: see `path_lengths`.
        every: steps from one evaluation to the next.
        decay: share by which the mean moves towards that of a batch.
        share: of a batch that is measured: less is less work and memory where the generator has styles, and the same in
            the mean. The authors of StyleGAN2 measure half of it, 0.5.
    """

    def __init__(self, weight: float = 2.0, every: int = 4, decay: float = 0.01, share: float = 1.0) -> None:
        super().__init__(weight, every)
        within("PathLength.decay", decay, above=0, most=1)
        within("PathLength.share", share, above=0, most=1)
        self.decay = decay
        self.share = share
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, verdict: Verdict) -> Tensor:
        part = self.part(len(verdict.fake))
        lengths = path_lengths(verdict.fake[:part], verdict.latent)[:part]
        penalty = (lengths - self.mean).square().mean()
        # The mean moves after its use and by this rank's images alone; the engine then averages it over ranks. Thus all
        # ranks measure against the same mean, and together they do what one process does with the whole batch.
        self.mean.lerp_(lengths.detach().mean().to(self.mean.dtype), self.decay)
        return penalty
