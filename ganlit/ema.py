"""An exponential moving average of the generator, the network that is sampled and measured."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from ganlit.errors import within


class EMA(nn.Module):
    """Averages the weights of a module with a half-life counted in images, so that it does not change with the batch.

    Karras et al., arXiv 1710.10196, introduce it; the ramp-up is that of StyleGAN2-ADA, arXiv 2006.06676, appendix C.

    Args:
        module: the module to follow; it is copied, not kept.
        half_life: kimg after which a weight counts half.
        rampup: early on, the half-life is at most this share of all images seen so far; `null` switches it off.

    Raises:
        UserError: an argument is out of its range.
    """

    follows = True
    """What is in it moves without a gradient."""

    def __init__(self, module: nn.Module, half_life: float = 10.0, rampup: float | None = 0.05) -> None:
        super().__init__()
        within("EMA.half_life", half_life, least=0)
        within("EMA.rampup", rampup, above=0, optional=True)
        self.half_life = half_life
        self.rampup = rampup
        self.module = deepcopy(module).eval().requires_grad_(False)

    def forward(self, *args: Tensor, **kwargs: float) -> Tensor:
        return self.module(*args, **kwargs)

    def train(self, mode: bool = True) -> EMA:
        """The average is never in training mode: it has no batch statistics and no style mixing of its own."""
        return super().train(False)

    def decay(self, images_seen: int, images: int) -> float:
        """The factor that keeps the average when `images` more have been seen, `images_seen` with them."""
        half_life = self.half_life * 1000
        if self.rampup is not None:
            half_life = min(half_life, images_seen * self.rampup)
        return 0.5 ** (images / max(half_life, 1e-8))

    @torch.no_grad()
    def update(self, module: nn.Module, images_seen: int, images: int) -> None:
        """Moves the average towards `module`; buffers (w mean, batch statistics) are copied as they are."""
        averages, weights = list(self.module.parameters()), list(module.parameters())
        torch._foreach_lerp_(averages, weights, 1 - self.decay(images_seen, images))
        for average, buffer in zip(self.module.buffers(), module.buffers(), strict=True):
            average.copy_(buffer)
