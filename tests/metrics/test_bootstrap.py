from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganlit.metrics.bootstrap import bootstrap


def test_the_standard_error_of_a_mean() -> None:
    sample = torch.randn(200, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = float(sample.std(correction=0)) / 200**0.5  # the deviation of a mean of 200 draws from these 200
    got = bootstrap(lambda drawn: sample[drawn].mean(), count=200, replicates=2000, seed=0)
    assert got == pytest.approx(expected, rel=4 / (2 * 2000) ** 0.5)


def test_a_statistic_that_sees_no_difference_is_certain() -> None:
    assert bootstrap(len, count=5, replicates=3, seed=0) == 0


def test_the_seed_fixes_the_draws_and_nothing_else_does() -> None:
    seen: list[Tensor] = []

    def statistic(drawn: Tensor) -> Tensor:
        seen.append(drawn)
        torch.rand(1)
        return drawn.double().mean()

    spreads = [bootstrap(statistic, count=7, replicates=4, seed=seed) for seed in (1, 1, 2)]
    assert spreads[0] == spreads[1] != spreads[2]
    assert all(drawn.shape == (7,) and set(drawn.tolist()) <= set(range(7)) for drawn in seen)
