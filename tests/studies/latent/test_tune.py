"""Pivotal tuning: its first step in closed form, what it reaches, and what it leaves alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganlit.studies.latent.distance import squares
from ganlit.studies.latent.subject import Subject
from ganlit.studies.latent.tune import Tuning, towards, tuned_for

LABEL = torch.tensor([0, 1, 2])


def wanted() -> tuple[Tensor, Tensor]:
    """Three latents of the toy that is linear, and images beyond its reach."""
    stream = torch.Generator().manual_seed(0)
    return torch.randn(3, 1, 4, generator=stream), torch.rand(3, 1, 16, 16, generator=stream) - 0.5


def test_others_are_a_given_way_off_in_each_layer() -> None:
    found = towards(torch.zeros(2, 3, 2), torch.tensor([3.0, 4.0]).expand(2, 1, 2), 10)
    torch.testing.assert_close(found, torch.tensor([6.0, 8.0]).expand(2, 3, 2))
    assert torch.equal(towards(found, found, 10), found)


def test_the_first_step_is_adams_down_the_gradient_of_the_mean_over_images() -> None:
    subject, (pivots, target) = Subject("flat"), wanted()
    before = subject.generator.layer.weight.clone()
    tuned = tuned_for(subject, pivots, LABEL, target, squares, pivots, 1.0, Tuning(1, 0.01, 0))
    error = subject.generator(pivots[:, 0], LABEL) - target
    gradient = (2 / 256 / 3) * error.flatten(1).T @ pivots[:, 0]
    step = 0.01 * gradient / (gradient.abs() + 1e-8)
    torch.testing.assert_close(tuned.generator.layer.weight, before - step)
    assert torch.equal(subject.generator.layer.weight, before)


def test_images_beyond_reach_are_made_and_locality_keeps_others() -> None:
    subject, (pivots, target) = Subject("flat"), wanted()
    others, of = subject.sample(200)
    here = subject.render(others, of)

    def errors(locality: float) -> tuple[float, float]:
        how = Tuning(100, 0.02, locality)
        tuned = tuned_for(subject, pivots, LABEL, target, squares, others, 1.0, how)
        assert not any(each.requires_grad for each in tuned.generator.parameters())
        missed = squares(tuned.render(pivots, LABEL), target)
        return float(missed), float(squares(tuned.render(others, of), here)) / 200

    begun = float(squares(subject.render(pivots, LABEL), target))
    free, bound = errors(0), errors(1)
    assert free[0] < 0.05 * begun
    assert bound[0] < begun
    assert bound[1] < 0.8 * free[1]


def test_what_makes_styles_stays_as_it_is() -> None:
    subject = Subject("styled")
    pivots, of = subject.sample(3)
    target = torch.zeros(3, 1, 16, 16)
    tuned = tuned_for(subject, pivots, of, target, squares, pivots, 1.0, Tuning(2, 0.01))
    moved = {name for name, value in subject.generator.state_dict().items() if not same(tuned, name, value)}
    assert moved
    assert not any(name.startswith(("mapping", "w_mean")) for name in moved)


def same(subject: Subject, name: str, value: Tensor) -> bool:
    return torch.equal(subject.generator.state_dict()[name], value)


def test_images_are_tuned_for_in_turn_as_many_as_are_made_together() -> None:
    subject, (pivots, target) = Subject("flat", together=2), wanted()
    sizes = []

    def seen(output: Tensor, target: Tensor) -> Tensor:
        sizes.append(len(output))
        return squares(output, target)

    told = []
    tuned_for(subject, pivots, LABEL, target, seen, pivots, 1.0, Tuning(4), advance=told.append)
    assert (sizes, told) == ([2, 2, 1, 1, 2, 2, 1, 1], [1] * 4)


@pytest.mark.parametrize("run", ["styled", "bare", "plain"])
def test_any_generator_can_be_tuned(run: str) -> None:
    subject = Subject(run)
    pivots, of = subject.sample(2)
    target = subject.render(pivots, of) / 2
    tuned = tuned_for(subject, pivots, of, target, squares, pivots, 1.0, Tuning(15, 0.01))
    before, after = (float(squares(each.render(pivots, of), target)) for each in (subject, tuned))
    assert after < 0.8 * before
