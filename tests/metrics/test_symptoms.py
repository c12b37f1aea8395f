from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganlit.contracts import Sampled
from ganlit.metrics import symptoms
from ganlit.metrics.symptoms import FEW, Symptoms, coarse, drift, identity, variety

HERE = torch.device("cpu")


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def found(sampled: Sampled, in_pairs: bool = True, share: int = 7) -> dict[str, float]:
    looks = Symptoms(in_pairs)
    for places in torch.arange(len(sampled.output)).split(share):
        source = None if sampled.source is None else sampled.source[places]
        looks.add(Sampled(sampled.reference[places], sampled.output[places], source), places)
    return looks.finish(HERE)


SHAPES = [(3, 20, 14), (2, 40), (2, 9, 10, 11), (5,)]
"""Pictures, sounds, films, points."""


@pytest.mark.parametrize("shape", SHAPES)
def test_shares_are_those_of_the_definitions(shape: tuple[int, ...]) -> None:
    source, target = noise(1, 20, *shape), noise(2, 20, *shape)
    output = source + 0.01 * (target - source)
    values = found(Sampled(target, output, source))
    assert values["identity"] == pytest.approx(0.01, rel=1e-3)
    means = (output - target).reshape(20, shape[0], -1).mean((0, 2)).abs().max()
    assert values["drift"] == pytest.approx(127.5 * float(means), rel=1e-4)
    assert found(Sampled(target, target, source))["variety"] == 1.0
    assert found(Sampled(target, target / 4, source))["variety"] == pytest.approx(0.25, rel=1e-6)
    assert found(Sampled(target, target[:1].expand_as(target) + 0.0, source))["variety"] == pytest.approx(0, abs=1e-7)


def test_only_the_first_items_are_looked_at_however_they_come() -> None:
    source, target, output = (noise(seed, FEW + 30, 1, 8, 8) for seed in range(3))
    values = found(Sampled(target, output, source))
    assert values == found(Sampled(target, output, source), share=FEW + 30)
    spoilt = output.clone()
    spoilt[FEW:] = 9.0
    assert found(Sampled(target, spoilt, source)) == values
    spoilt[FEW - 1] = 9.0
    assert found(Sampled(target, spoilt, source)) != values


def test_where_nothing_can_be_compared_nothing_is_said() -> None:
    target, output = noise(1, 10, 3, 8, 8), noise(2, 10, 3, 8, 8)
    assert found(Sampled(target, output)) == {}  # from noise
    assert set(found(Sampled(target, output, target))) == {"variety", "drift"}  # an autoencoder
    assert set(found(Sampled(target, output, target.clone()))) == {"variety", "drift"}
    assert set(found(Sampled(target, output, target[:, :1]))) == {"variety", "drift"}
    assert set(found(Sampled(target, output, target[..., ::2, ::2]))) == {"variety", "drift"}
    assert set(found(Sampled(target[:1], output[:1], output[:1] + 1))) == {"identity", "drift"}  # one item
    assert found(Sampled(target, output * torch.nan, output)) == {}
    assert Symptoms().finish(HERE) == {}


def test_what_nobody_has_paired_may_look_like_either_side() -> None:
    source, target = noise(1, 40, 3, 8, 8) / 4 - 0.6, noise(2, 40, 3, 8, 8) / 4 + 0.6
    for output, near in ((source + 0.1, 12.75), (target - 0.1, 12.75), (source * 0 + 0.0, 127.5 * 0.6)):
        assert found(Sampled(target, output, source), in_pairs=False)["drift"] == pytest.approx(near, abs=1.5)
    assert found(Sampled(target, source, source))["drift"] == pytest.approx(127.5 * 1.2, abs=3)
    assert found(Sampled(target, target, source[:, :1]), in_pairs=False)["drift"] == 0.0


@given(st.floats(-1, 1), st.floats(-1, 1), st.integers(1, 9))
def test_drift_is_that_of_the_worst_channel(first: float, second: float, count: int) -> None:
    output, like = torch.tensor([[first, second]]).expand(count, 2), torch.zeros(count, 2)
    assert drift(output, like) == pytest.approx(127.5 * max(abs(first), abs(second)), rel=1e-5, abs=1e-5)
    assert drift(output, like, output) == 0.0


def test_shares_of_nothing_are_no_numbers() -> None:
    assert math.isnan(identity(torch.ones(3), torch.zeros(3)))
    assert math.isnan(variety(noise(1, 4, 2), torch.zeros(4, 2)))


@pytest.mark.parametrize("shape", SHAPES)
def test_items_of_any_size_have_as_many_coarse_numbers(shape: tuple[int, ...]) -> None:
    few = coarse(noise(1, 2, *shape))
    assert few.shape == (2, shape[0], *(symptoms.SIDE for _ in shape[1:]))
