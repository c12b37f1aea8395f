"""Adversarial losses against the formulas of their papers."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganlit.contracts import Verdict
from ganlit.losses.adversarial import (
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Relativistic,
    RelativisticAverage,
    Wasserstein,
)
from ganlit.losses.base import AdversarialLoss

logits = st.lists(st.floats(-15, 15), min_size=1, max_size=8)
pairs = st.lists(st.tuples(st.floats(-15, 15), st.floats(-15, 15)), min_size=1, max_size=8)


def verdict(real: list[float], fake: list[float]) -> Verdict:
    """A verdict whose critic gives back its images, which are the logits themselves."""
    return Verdict(lambda images: images, *(torch.tensor(x, dtype=torch.float64) for x in (real, fake)))


def slopes(objective: Callable[[Verdict], Tensor], real: list[float], fake: list[float]) -> tuple[list, list]:
    """The derivative of an objective by each logit."""
    seen = verdict(real, fake)
    seen.real.requires_grad_(), seen.fake.requires_grad_()
    objective(seen).backward()
    return tuple([0.0] * len(x) if x.grad is None else x.grad.tolist() for x in (seen.real, seen.fake))


def mean_log(probabilities: Tensor) -> float:
    return probabilities.log().mean().item()


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


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


@given(real=logits, fake=logits)
def test_wasserstein_is_the_difference_of_the_means(real: list[float], fake: list[float]) -> None:
    seen = verdict(real, fake)
    assert Wasserstein().discriminator(seen).item() == pytest.approx(mean(fake) - mean(real), abs=1e-12)
    assert Wasserstein().generator(seen).item() == pytest.approx(-mean(fake), abs=1e-12)


@given(real=logits, fake=logits)
def test_hinge_pays_for_what_is_within_the_margin(real: list[float], fake: list[float]) -> None:
    seen = verdict(real, fake)
    value = mean([min(0, x - 1) for x in real]) + mean([min(0, -x - 1) for x in fake])
    assert Hinge().discriminator(seen).item() == pytest.approx(-value, abs=1e-12)
    assert Hinge().generator(seen).item() == pytest.approx(-mean(fake), abs=1e-12)


@given(real=logits, fake=logits)
def test_least_squares_are_half_the_distances_from_one_and_zero(real: list[float], fake: list[float]) -> None:
    seen = verdict(real, fake)
    value = mean([(x - 1) ** 2 for x in real]) / 2 + mean([x**2 for x in fake]) / 2
    assert LeastSquares().discriminator(seen).item() == pytest.approx(value, abs=1e-10)
    assert LeastSquares().generator(seen).item() == pytest.approx(mean([(x - 1) ** 2 for x in fake]) / 2, abs=1e-10)


@given(pairs=pairs)
def test_relativistic_compares_the_images_of_a_pair(pairs: list[tuple[float, float]]) -> None:
    seen = verdict([real for real, _ in pairs], [fake for _, fake in pairs])
    value = -mean([math.log(sigmoid(real - fake)) for real, fake in pairs])
    assert Relativistic().discriminator(seen).item() == pytest.approx(value, abs=1e-8)
    value = -mean([math.log(sigmoid(fake - real)) for real, fake in pairs])
    assert Relativistic().generator(seen).item() == pytest.approx(value, abs=1e-8)


@given(real=logits, fake=logits)
def test_relativistic_average_is_equations_1_and_2_of_esrgan(real: list[float], fake: list[float]) -> None:
    seen = verdict(real, fake)
    of_real, of_fake = ([x - mean(others) for x in own] for own, others in ((real, fake), (fake, real)))
    value = -mean([math.log(sigmoid(x)) for x in of_real]) - mean([math.log(sigmoid(-x)) for x in of_fake])
    assert RelativisticAverage().discriminator(seen).item() == pytest.approx(value, abs=1e-8)
    value = -mean([math.log(sigmoid(-x)) for x in of_real]) - mean([math.log(sigmoid(x)) for x in of_fake])
    assert RelativisticAverage().generator(seen).item() == pytest.approx(value, abs=1e-8)


REAL, FAKE = [2.0, 0.25, -3.0, 0.5], [0.5, -2.0, 1.5, -0.25]
SLOPES = {  # of each loss: by the real and generated logits for D, then for G
    Minimax: (lambda r: sigmoid(r) - 1, sigmoid, lambda f: -sigmoid(f)),
    NonSaturating: (lambda r: sigmoid(r) - 1, sigmoid, lambda f: sigmoid(f) - 1),
    Wasserstein: (lambda r: -1, lambda f: 1, lambda f: -1),
    Hinge: (lambda r: -float(r < 1), lambda f: float(f > -1), lambda f: -1),
    LeastSquares: (lambda r: r - 1, lambda f: f, lambda f: f - 1),
}


@pytest.mark.parametrize("loss", SLOPES, ids=lambda loss: loss.__name__)
def test_gradients_are_those_of_the_formula(loss: type[AdversarialLoss]) -> None:
    of_real, of_fake, of_generator = SLOPES[loss]
    real, fake = slopes(loss().discriminator, REAL, FAKE)
    assert real == pytest.approx([of_real(x) / 4 for x in REAL])
    assert fake == pytest.approx([of_fake(x) / 4 for x in FAKE])
    real, fake = slopes(loss().generator, REAL, FAKE)
    assert real == [0.0] * 4
    assert fake == pytest.approx([of_generator(x) / 4 for x in FAKE])


def test_relativistic_gradients_are_opposite_within_a_pair() -> None:
    pull = [sigmoid(f - r) / 4 for r, f in zip(REAL, FAKE, strict=True)]
    real, fake = slopes(Relativistic().discriminator, REAL, FAKE)
    assert real == pytest.approx([-x for x in pull])
    assert fake == pytest.approx(pull)
    push = [sigmoid(r - f) / 4 for r, f in zip(REAL, FAKE, strict=True)]
    real, fake = slopes(Relativistic().generator, REAL, FAKE)
    assert real == pytest.approx(push)
    assert fake == pytest.approx([-x for x in push])


def test_relativistic_average_gradients_reach_both_sides_of_each_mean() -> None:
    doubt = [1 - sigmoid(r - mean(FAKE)) for r in REAL]  # that a real item is real, and below
    belief = [sigmoid(f - mean(REAL)) for f in FAKE]  # that a generated one is
    real, fake = slopes(RelativisticAverage().discriminator, REAL, FAKE)
    assert real == pytest.approx([-(x + mean(belief)) / 4 for x in doubt])
    assert fake == pytest.approx([(x + mean(doubt)) / 4 for x in belief])
    real, fake = slopes(RelativisticAverage().generator, REAL, FAKE)
    assert real == pytest.approx([(1 - x + 1 - mean(belief)) / 4 for x in doubt])
    assert fake == pytest.approx([-(1 - x + 1 - mean(doubt)) / 4 for x in belief])


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
