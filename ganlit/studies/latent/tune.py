"""A generator's weights, moved until it makes images of the latents found for them: Roich et al., arXiv 2106.05744."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.studies.latent.distance import Distance
from ganlit.studies.latent.subject import Subject

RATE = 3e-4
LOCALITY = 0.1
"""Of the paper's authors, as the number of steps is."""

FIRST_NOISE = 2
"""Seed of that of the first step: what is compared afterwards is made in that of the seeds below."""


class Tuning(NamedTuple):
    """How weights are moved."""

    steps: int = 350
    rate: float = RATE
    locality: float = LOCALITY  # how much it counts that other latents keep their images, beside the images themselves


def tuned_for(
    subject: Subject,
    pivots: Tensor,
    label: Tensor,
    target: Tensor,
    distance: Distance,
    others: Tensor,
    reach: float,
    tuning: Tuning,
    seed: int = 0,
    advance: Callable[[int], None] = lambda count: None,
) -> Subject:
    """The same with weights by which latents, the pivots, have the images that are wanted: section 3.2 of the paper.

    All images are tuned for together, so many at a time as the subject makes, as in its equation 4. What makes styles
    of latents gets no gradient from pivots in w. The layers' noise, which is fixed in the paper, is another one at each
    step here: so that images do not depend on it.

    Args:
        subject: whose weights stay as they are.
        pivots: [N, L, d], which stay, too.
        label: [N] their classes.
        target: [N, ...] the images, as networks have them.
        distance: to these.
        others: [M, L, d] latents in the directions of which images near the pivots shall be kept.
        reach: how far from the pivots these are; 30 in the space of the paper's generators.
        tuning: how.
        seed: of the choice among the others.
        advance: told of steps.
    """
    tuned, stream = subject.copied(), torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam(tuned.generator.requires_grad_().parameters(), lr=tuning.rate)
    firsts = range(0, len(pivots), subject.together)
    for step in range(tuning.steps):
        first = firsts[step % len(firsts)]
        part, noise = slice(first, first + subject.together), FIRST_NOISE + step
        pivot, of = pivots[part], label[part]
        with torch.enable_grad():
            loss = distance(tuned.render(pivot, of, noise), target[part])
        if tuning.locality:
            place = torch.randint(len(others), (len(pivot),), generator=stream)
            near = towards(pivot, others[place.to(others.device)], reach)
            with torch.no_grad():
                before = subject.render(near, of, noise)
            with torch.enable_grad():
                loss = loss + tuning.locality * distance(tuned.render(near, of, noise), before)
        adam.zero_grad()
        (loss / len(pivot)).backward()
        adam.step()
        advance(1)
    tuned.generator.requires_grad_(False)
    return tuned


def towards(latents: Tensor, others: Tensor, reach: float) -> Tensor:
    """Latents [B, L, d] moved so far in the directions of others, layer by layer: equation 5."""
    way = others - latents
    return latents + reach * way / way.norm(dim=-1, keepdim=True).clamp(min=1e-12)
