"""Ways through a latent space, from one key to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from ganlit.contracts import Space

How = Literal["linear", "spherical", "spline"]


def linear(keys: Tensor, times: Tensor, loop: bool = False) -> Tensor:
    """Points [T, ...] on the straight lines between keys [K, ...]; the time of key k is k."""
    first, second, share = _leg(keys, times, loop)
    return keys[first] + share * (keys[second] - keys[first])


def spherical(keys: Tensor, times: Tensor, loop: bool = False) -> Tensor:
    """The same on great circles: Shoemake's slerp, by which samples of a Gaussian keep their length.

    Keys [K, ..., d] that are parallel are joined by a straight line.
    """
    first, second, share = _leg(keys, times, loop)
    one, other = keys[first], keys[second]
    lengths = one.norm(dim=-1, keepdim=True) * other.norm(dim=-1, keepdim=True)
    cosine = ((one * other).sum(-1, keepdim=True) / lengths.clamp(min=1e-12)).clamp(-1, 1)
    angle = cosine.acos()
    parallel = angle.sin() < 1e-4
    sine = torch.where(parallel, 1, angle.sin())
    around = (((1 - share) * angle).sin() * one + (share * angle).sin() * other) / sine
    return torch.where(parallel, one + share * (other - one), around)


def spline(keys: Tensor, times: Tensor, loop: bool = False) -> Tensor:
    """The same on a curve without kinks through all keys: Catmull and Rom's, uniform.

    An open one begins and ends as if the first and the last leg went straight on.
    """
    first, second, share = _leg(keys, times, loop)
    count = len(keys)
    one, other = keys[first], keys[second]
    before = keys[(first - 1) % count]
    after = keys[(second + 1) % count]
    if not loop:
        ends = [-1] + [1] * (keys.ndim - 1)
        before = torch.where((first == 0).view(ends), 2 * one - other, before)
        after = torch.where((second == count - 1).view(ends), 2 * other - one, after)
    return (
        one
        + share * (other - before) / 2
        + share**2 * (before - 2.5 * one + 2 * other - after / 2)
        + share**3 * (1.5 * (one - other) + (after - before) / 2)
    )


WAYS: dict[How, Callable[[Tensor, Tensor, bool], Tensor]] = {
    "linear": linear,
    "spherical": spherical,
    "spline": spline,
}


def times_of(keys: int, steps: int, loop: bool) -> Tensor:
    """When the frames [T] are: so many from one key to the next; a loop ends just before it begins again."""
    return torch.arange(keys * steps if loop else (keys - 1) * steps + 1, dtype=torch.float64) / steps


def usual(space: Space) -> How:
    """The way that suits a space: z is likely near a sphere alone."""
    return "spherical" if space == "z" else "spline"


def along(keys: Tensor, label: Tensor, steps: int, loop: bool, how: How) -> tuple[Tensor, Tensor]:
    """Latents [T, ...] from key to key [K, ...], and their labels [T]: of each that of the key before it.

    Args:
        label: [K].
        steps: from one key to the next.
    """
    times = times_of(len(keys), steps, loop)
    return WAYS[how](keys, times, loop), label[times.long().to(label.device)]


def _leg(keys: Tensor, times: Tensor, loop: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Of each time the key before, the one behind, and the share of the way between them, [T, 1, ...]."""
    last = len(keys) - (not loop)
    first = times.floor().long().clamp(0, max(last - 1, 0))
    share = (times - first).to(keys).view([-1] + [1] * (keys.ndim - 1))
    first = first.to(keys.device)
    return first, (first + 1) % len(keys), share
