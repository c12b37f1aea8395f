"""What a direction is worth: what it changes, what it leaves alone, how evenly, and whether any other would do."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.studies.latent.eye import Eye, Seen
from ganlit.studies.latent.subject import Subject

SHARES = (-1.0, -0.5, 0.5, 1.0)  # of the extent at which items are looked at, beside where they are
FLIPS = 9_999  # of signs, for a test


class Score(NamedTuple):
    """Of one direction.

    Attributes:
        effect: [N] of each item, by how much a unit changes it: the total variation of its class shares, from 0 to 1;
            without classes, as `moved`.
        moved: how far features go at the extent; 1 is as far as two real items are from each other.
        identity: mean cosine of standardised features at the extent with those of the item itself.
        linearity: share of the variance of what changes most that lines explain, one an item; 1 is a line.
        towards, away: the classes that gain and lose most from minus to plus; -1 without classes.
        shift: by how much the former gains, from minus to plus extent.
    """

    effect: Tensor
    moved: float
    identity: float
    linearity: float
    towards: int = -1
    away: int = -1
    shift: float = 0.0


def score(
    subject: Subject,
    latents: Tensor,
    label: Tensor,
    direction: Tensor,
    extent: float,
    step: float,
    eye: Eye,
    start: Seen,
    advance: Callable[[int], None] = lambda count: None,
) -> Score:
    """Moves items along a direction and looks at them.

    Args:
        latents: [N, L, d] where items begin.
        label: [N].
        direction: [d] of length one.
        extent: how far they go to either side, in units.
        step: the length of a unit.
        eye: by which they are seen.
        start: how they are seen where they begin, in noise 0.
        advance: told of items seen.
    """
    along = direction.to(latents)
    seen = [eye.see(subject.made(latents + share * extent * step * along, label), advance) for share in SHARES]
    ends = [seen[0], seen[-1]]
    moved = torch.stack([distance(each, start) for each in ends]).mean()
    cosine = torch.stack([torch.cosine_similarity(each.features, start.features) for each in ends]).mean()
    if start.shares is None:
        across = (ends[1].features - ends[0].features).mean(0)
        told = [each.features @ across for each in (*seen, start)]
        towards, away, shift = -1, -1, 0.0
    else:
        gain = (ends[1].shares - ends[0].shares).mean(0)
        towards, away, shift = int(gain.argmax()), int(gain.argmin()), float(gain.max())
        told = [log_odds(each.shares, towards, away) for each in (*seen, start)]
    change = [changed(each, start) / (abs(share) * extent) for each, share in zip(seen, SHARES, strict=True)]
    effect = torch.stack(change).mean(0)
    linear = straightness(torch.tensor([*SHARES, 0.0]), torch.stack(told, 1))
    return Score(effect.double(), float(moved), float(cosine), linear, towards, away, shift)


def changed(seen: Seen, start: Seen) -> Tensor:
    """What became of items [N]: the total variation of their class shares, or without classes their distance."""
    if seen.shares is None or start.shares is None:
        return distance(seen, start)
    return (seen.shares - start.shares).abs().sum(1) / 2


def distance(seen: Seen, start: Seen) -> Tensor:
    """[N] of items by their features; 1 is that of two real ones."""
    return (seen.features - start.features).norm(dim=1) / (2 * seen.features.shape[1]) ** 0.5


def log_odds(shares: Tensor, one: int, other: int) -> Tensor:
    """[N] of class shares [N, K]; a probe is never surer than one in a thousand."""
    return shares[:, one].clamp(min=1e-3).log() - shares[:, other].clamp(min=1e-3).log()


def straightness(at: Tensor, values: Tensor) -> float:
    """The share of the variance of values [N, T] at places [T] that a line for each of N explains."""
    x = at.double() - at.double().mean()
    y = values.double() - values.double().mean(1, keepdim=True)
    total = y.square().sum()
    slope = (y @ x) / x.square().sum()
    return float((slope.square() * x.square().sum()).sum() / total) if total > 0 else 0.0


def p_value(differences: Tensor, seed: int = 0) -> float:
    """How often signs drawn at random give paired differences [N] a mean as large: a permutation test, one-sided."""
    signs = torch.randint(0, 2, (FLIPS, len(differences)), generator=torch.Generator().manual_seed(seed))
    drawn = (2 * signs - 1).to(differences) @ differences
    return (1 + int((drawn >= differences.sum() - 1e-12).sum())) / (1 + FLIPS)


def holm(values: list[float]) -> list[float]:
    """The same p-values for as many questions at once: Holm 1979, none below an earlier one."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found, least = [0.0] * len(values), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(values) - rank) * values[place]))
        found[place] = least
    return found
