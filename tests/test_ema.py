"""The average of the generator: its half-life, its ramp-up, and what it leaves alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ganlit.ema import EMA


def test_after_one_half_life_the_start_counts_half() -> None:
    module = nn.Linear(3, 2)
    start = module.weight.detach().clone()
    ema = EMA(module, half_life=1.0, rampup=None)
    nn.init.zeros_(module.weight)
    for seen in range(10, 1010, 10):
        ema.update(module, seen, 10)
    torch.testing.assert_close(ema.module.weight, start / 2, rtol=1e-5, atol=1e-7)


@given(batch=st.sampled_from([1, 2, 4, 5, 10, 20, 50]))
def test_the_batch_size_does_not_change_it(batch: int) -> None:
    ema = EMA(nn.Linear(1, 1), half_life=0.5, rampup=None)
    factor = 1.0
    for _ in range(0, 1000, batch):
        factor *= ema.decay(10_000, batch)
    assert factor == pytest.approx(0.25)


def test_the_ramp_up_forgets_early_weights_faster() -> None:
    ema = EMA(nn.Linear(1, 1), half_life=10.0, rampup=0.05)
    assert ema.decay(1000, 50) == pytest.approx(0.5)  # 5 % of 1,000 images is 50
    assert ema.decay(200_000, 10_000) == pytest.approx(0.5)  # ten kimg from 200 kimg on
    assert ema.decay(10**9, 10_000) == pytest.approx(0.5)


def test_it_takes_buffers_as_they_are_and_is_never_in_training_mode() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    ema = EMA(module)
    module(torch.randn(8, 1, 5, 5))
    ema.train()
    ema.update(module, 8, 8)
    assert torch.equal(ema.module[1].running_mean, module[1].running_mean)
    assert not any(part.training for part in ema.modules())
    assert not any(parameter.requires_grad for parameter in ema.parameters())
