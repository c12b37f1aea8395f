"""Single channels of S, and which of them change most of what is seen: Wu et al., arXiv 2011.12799."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganlit.studies.latent.affine import channel_names
from ganlit.studies.latent.eye import Eye, Seen
from ganlit.studies.latent.find import Direction
from ganlit.studies.latent.score import changed
from ganlit.studies.latent.subject import Subject, deviations

FAR = 5.0
"""Standard deviations that make a unit of a channel, which is one of hundreds."""

TRIED = 4  # items on which each channel is tried
TOGETHER = 64  # channels that are seen at a time


def channels(subject: Subject, sample: Tensor, label: Tensor) -> list[Direction]:
    """All that latents [N, 1, d] in S, of classes [N], differ in."""
    spreads = deviations(sample, label)[0]
    names, one = channel_names(subject.affine), torch.eye(len(spreads), dtype=torch.float64)
    return [
        Direction(name, vector, FAR * spread)
        for name, vector, spread in zip(names, one, spreads.tolist(), strict=True)
        if spread > 0
    ]


def strongest(
    subject: Subject,
    eye: Eye,
    among: list[Direction],
    keep: int,
    seed: int,
    advance: Callable[[int], None] = lambda count: None,
) -> list[Direction]:
    """So many of these, whose unit changes most: half of the items on which they are tried go up, half go down.

    Args:
        among: directions that are tried.
        seed: of the items.
        advance: told of items seen.
    """
    latents, label = subject.sample(TRIED, seed)
    start = eye.see(subject.made(latents, label))
    sides = torch.tensor([1.0, -1.0]).repeat(TRIED // 2)[:, None, None].to(latents)
    found: list[float] = []
    for first in range(0, len(among), TOGETHER):
        part = among[first : first + TOGETHER]
        moved = [subject.made(latents + sides * each.unit * each.vector.to(latents), label) for each in part]
        seen = eye.see(torch.cat(moved), advance)
        found += changed(seen, repeated(start, len(part))).view(len(part), TRIED).mean(1).tolist()
    order = sorted(range(len(among)), key=lambda place: -found[place])
    return [among[place] for place in order[:keep]]


def repeated(seen: Seen, times: int) -> Seen:
    """The same items so many times, one after the other."""
    return Seen(*(None if each is None else each.repeat(times, 1) for each in seen))


def some(among: list[Direction], count: int, seed: int) -> list[Direction]:
    """So many of these, all equally likely."""
    order = torch.randperm(len(among), generator=torch.Generator().manual_seed(seed))
    return [among[place] for place in order[:count].tolist()]
