"""Gradient penalties against closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganlit.contracts import Verdict
from ganlit.regularizers.gradient import R1, squared_gradient


def test_r1_of_a_linear_critic_is_half_its_squared_weight() -> None:
    weight = torch.randn(12)
    seen = Verdict(
        lambda x: x.flatten(1) @ weight, torch.randn(5, 3, 2, 2, requires_grad=True), torch.zeros(5, 3, 2, 2)
    )
    assert R1(weight=1.0)(seen).item() == pytest.approx(weight.square().sum().item() / 2, rel=1e-5)


def test_r1_of_a_quadratic_critic_is_half_its_squared_distance() -> None:
    real = torch.randn(7, 1, 4, 4, requires_grad=True)
    seen = Verdict(lambda x: x.square().sum(dim=(1, 2, 3)) / 2, real, real)
    expected = real.square().sum(dim=(1, 2, 3)).mean() / 2
    assert R1(weight=1.0)(seen).item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_gradient_is_the_one_of_finite_differences() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Flatten(), nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1)).double()
    images = torch.randn(2, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    exact = squared_gradient(critic(images)[:, 0], images)
    step = 1e-6 * torch.eye(8, dtype=torch.float64).reshape(8, 1, 2, 2, 2)
    with torch.no_grad():
        slopes = torch.stack([(critic(images + d) - critic(images - d))[:, 0] / 2e-6 for d in step])
    torch.testing.assert_close(exact.detach().double(), slopes.square().sum(dim=0), rtol=1e-5, atol=1e-8)


def test_a_lazy_term_is_as_heavy_as_it_is_rare() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.Softplus(), nn.Linear(8, 1))
    real = torch.randn(3, 1, 2, 2)
    terms = []
    for every in (1, 16):
        regularizer = R1(weight=0.5, every=every)
        assert [step for step in range(33) if regularizer.due(step)] == list(range(0, 33, every))
        seen = Verdict(lambda x: critic(x)[:, 0], real.clone().requires_grad_(), real)
        terms.append(regularizer.term(seen).item())
    assert terms[1] == pytest.approx(16 * terms[0], rel=1e-6)


def test_it_trains_the_critic() -> None:
    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.Softplus(), nn.Linear(8, 1))
    seen = Verdict(lambda x: critic(x)[:, 0], torch.randn(3, 1, 2, 2, requires_grad=True), torch.zeros(3, 1, 2, 2))
    R1(weight=1.0)(seen).backward()
    assert critic[1].weight.grad.abs().sum() > 0
