"""How uncertain a number is that was computed from a sample."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def bootstrap(statistic: Callable[[Tensor], Tensor | float], count: int, replicates: int, seed: int) -> float:
    """Standard error of a statistic of `count` items: its standard deviation over resamples (Efron 1979).

    An item may be drawn more than once, which what looks at pairs of items takes for a pair at distance 0.

    Args:
        statistic: of the items of these indices [count], drawn with replacement.
        count: items.
        replicates: resamples, two at least.
        seed: of the draws.
    """
    generator = torch.Generator().manual_seed(seed)
    draws = (torch.randint(count, (count,), generator=generator) for _ in range(replicates))
    return float(torch.tensor([float(statistic(drawn)) for drawn in draws], dtype=torch.float64).std())
