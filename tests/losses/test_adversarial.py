"""Adversarial losses against the formulas of the paper, written with probabilities."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganlit.contracts import Verdict
from ganlit.losses.adversarial import Minimax, NonSaturating

logits = st.lists(st.floats(-15, 15), min_size=1, max_size=8)


def verdict(real: list[float], fake: list[float]) -> Verdict:
    """A verdict whose critic gives back its images, which are the logits themselves."""
    return Verdict(lambda images: images, *(torch.tensor(x, dtype=torch.float64) for x in (real, fake)))


def mean_log(probabilities: Tensor) -> float:
    return probabilities.log().mean().item()


@given(real=logits, fake=logits)
def test_minimax_is_equation_1(real: list[float], fake: list[float]) -> None:
    seen = verdict(real, fake)
    d_real, d_fake = seen.real.sigmoid(), seen.fake.sigmoid()
    value = mean_log(d_real) + mean_log(1 - d_fake)
    assert Minimax().discriminator(seen).item() == pytest.approx(-value, rel=1e-6)
    assert Minimax().generator(seen).item() == pytest.approx(mean_log(1 - d_fake), rel=1e-6)


@given(real=logits, fake=logits)
def test_non_saturating_changes_only_the_generator(real: list[float], fake: list[float]) -> None:
    seen = verdict(real, fake)
    assert NonSaturating().discriminator(seen) == Minimax().discriminator(seen)
    assert NonSaturating().generator(seen).item() == pytest.approx(-mean_log(seen.fake.sigmoid()), rel=1e-6)


def test_an_undecided_discriminator_pays_two_log_two() -> None:
    assert Minimax().discriminator(verdict([0.0, 0.0], [0.0])).item() == pytest.approx(2 * math.log(2))


def test_the_losing_generator_keeps_its_gradient_only_without_saturation() -> None:
    gradients = {}
    for loss in (Minimax(), NonSaturating()):
        fake = torch.full((4,), -20.0, requires_grad=True)
        loss.generator(Verdict(lambda images: images, fake, fake)).backward()
        gradients[type(loss)] = fake.grad.abs().sum().item()
    assert gradients[NonSaturating] == pytest.approx(1.0, rel=1e-6)
    assert gradients[Minimax] < 1e-8


def test_a_verdict_asks_its_critic_once() -> None:
    calls = []
    seen = Verdict(lambda images: calls.append(1) or images, torch.zeros(2), torch.ones(2))
    for _ in range(3):
        assert torch.equal(seen.real_logits, seen.real)
    assert len(calls) == 1
