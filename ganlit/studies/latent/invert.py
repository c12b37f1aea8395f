"""From an image to its latent, by gradients: Karras et al., arXiv 1912.04958, appendix D."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

UP, DOWN, QUIET = 0.05, 0.25, 0.75
"""Shares of the steps: the rate climbs in the first 5 %, falls in the last 25 %, and noise is gone after 75 %."""

RATE = 0.1
NOISE = 0.05  # of the typical distance of latents to their mean


class Schedule(NamedTuple):
    """How a latent is looked for."""

    steps: int = 1000
    rate: float = RATE
    noise: float = NOISE

    def rate_at(self, step: int) -> float:
        """Adam's, rising in a line and falling in a cosine."""
        done = step / self.steps
        falling = min(1.0, (1 - done) / DOWN)
        return self.rate * (0.5 - 0.5 * math.cos(math.pi * falling)) * min(1.0, done / UP)

    def noise_at(self, step: int) -> float:
        """What latents are shaken by, in parts of their typical distance to the mean."""
        return self.noise * max(0.0, 1 - step / self.steps / QUIET) ** 2


def invert(
    render: Callable[[Tensor], Tensor],
    distance: Callable[[Tensor], Tensor],
    start: Tensor,
    reach: float,
    schedule: Schedule,
    seed: int = 0,
    advance: Callable[[int], None] = lambda count: None,
) -> Tensor:
    """Latents [B, L, d] whose images are near to what a distance is measured to.

    The paper's noise maps are not looked for: the layers' noise stays what `render` draws.

    Args:
        render: latents to images [B, ...].
        distance: of these, the sum over items, each of which has its own.
        start: where to begin, such as the mean.
        reach: the typical distance of latents to their mean.
        schedule: of the steps.
        seed: of the noise on latents.
        advance: told of steps.
    """
    latent = start.clone().requires_grad_()
    adam = torch.optim.Adam([latent], lr=schedule.rate)
    stream = torch.Generator().manual_seed(seed)
    for step in range(schedule.steps):
        adam.param_groups[0]["lr"] = schedule.rate_at(step)
        shaken = torch.randn(latent.shape, generator=stream).to(latent) * (reach * schedule.noise_at(step))
        with torch.enable_grad():
            loss = distance(render(latent + shaken))
        [latent.grad] = torch.autograd.grad(loss, latent)
        adam.step()
        advance(1)
    return latent.detach()
