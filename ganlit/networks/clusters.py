"""Which vectors of a codebook stand for which of the data, and where vectors are missing; nothing here is random."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

SAME = 1e-8
"""Vectors are one where the square of their distance is less than this share of their mean square length."""


def nearest(x: Tensor, vectors: Tensor) -> Tensor:
    """For each of x [M, d] the place [M] of the closest of vectors [K, d], the first of several."""
    return torch.addmm(vectors.square().sum(dim=1), x, vectors.T, alpha=-2).argmin(dim=1)


def sums_by(codes: Tensor, x: Tensor, count: int) -> Tensor:
    """The sum [count, d] of those of x [M, d] that have each code of codes [M].

    A product of matrices, unlike scattered additions, gives the same bits each time on any device.
    """
    return x.new_zeros(len(x), count).scatter_(1, codes[:, None], 1.0).T @ x


def spread(x: Tensor, count: int, distance: Tensor | None = None) -> Tensor:
    """Up to `count` of x [M, d], each the farthest from those before it: Gonzalez, TCS 38, 1985.

    Args:
        x: the vectors to choose from.
        count: how many; fewer are chosen when the others are the same as these.
        distance: [M] the square of the distance to what is there already; nothing, without it.
    """
    distance = x.new_full((len(x),), torch.inf) if distance is None else distance
    places, gaps = [], []
    for _ in range(min(count, len(x))):
        gap, place = distance.max(dim=0)
        places.append(place)
        gaps.append(gap)
        distance = torch.minimum(distance, (x - x[place]).square().sum(dim=1))
    worth = torch.stack(gaps) > SAME * x.square().sum(dim=1).mean()
    return x[torch.stack(places)[worth]]


def kmeans(x: Tensor, count: int, onto: Callable[[Tensor], Tensor], steps: int = 10) -> Tensor:
    """Up to `count` centres [K, d] of x [M, d], by Lloyd's steps from vectors that are far apart.

    Args:
        x: the vectors; where fewer of them differ than there should be centres, each is one.
        count: number of centres.
        onto: brings means to where centres may be, such as onto a sphere.
        steps: each moves every centre to the mean of the vectors that it is nearest to.
    """
    centres = spread(x, count)
    for _ in range(steps):
        codes = nearest(x, centres)
        members = codes.bincount(minlength=len(centres))[:, None]
        means = onto(sums_by(codes, x, len(centres)) / members.clamp(min=1))
        centres = torch.where(members > 0, means, centres)
    return centres
