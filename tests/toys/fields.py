"""How far a network of sound looks, by its gradient."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def field_of(network: Callable[[Tensor], Tensor], source: Tensor) -> tuple[int, int]:
    """Places before and after its own on which an answer depends, at most.

    Args:
        network: [1, C, T] to [1, D, any length], linear enough to have a gradient everywhere.
        source: as long as that what lies in its middle sees no end.
    """
    source = source.clone().requires_grad_()
    answer = network(source)
    middle, ratio = source.shape[-1] // 2, answer.shape[-1] / source.shape[-1]
    places = range(round(middle * ratio), max(round((middle + 1) * ratio), round(middle * ratio) + 1))
    before = after = 0
    for place in places[:: max(len(places) // 16, 1)]:
        (gradient,) = torch.autograd.grad(answer[..., place].sum(), source, retain_graph=True)
        seen = gradient.abs().sum(dim=(0, 1)).nonzero()[:, 0]
        own = int(place / ratio)
        before, after = max(before, own - int(seen[0])), max(after, int(seen[-1]) - own)
    return before, after
