"""Gradient penalties against closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganlit.contracts import Critic, Verdict
from ganlit.losses.regularizers.base import Regularizer
from ganlit.losses.regularizers.gradient import R1, R2, GradientPenalty, slope

PENALTIES = [R1, R2, GradientPenalty]


def linear(weight: Tensor) -> Critic:
    return lambda images: images.flatten(1) @ weight


def quadratic(images: Tensor) -> Tensor:
    """Its gradient is the image."""
    return images.square().sum(dim=(1, 2, 3)) / 2


def images(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("regularizer", [R1, R2])
def test_of_a_linear_critic_it_is_half_the_squared_weight(regularizer: type[Regularizer]) -> None:
    weight = torch.randn(12, dtype=torch.float64)
    seen = Verdict(linear(weight), images(5, 3, 2, 2), images(5, 3, 2, 2))
    assert regularizer(weight=1.0)(seen).item() == pytest.approx(weight.square().sum().item() / 2)


def test_of_a_quadratic_critic_it_is_half_the_squared_distance_of_its_own_images() -> None:
    real, fake = images(7, 1, 4, 4), images(7, 1, 4, 4)
    assert R1(weight=1.0)(Verdict(quadratic, real, fake)).item() == pytest.approx(quadratic(real).mean().item())
    assert R2(weight=1.0)(Verdict(quadratic, real, fake)).item() == pytest.approx(quadratic(fake).mean().item())


def test_the_gradient_penalty_of_a_linear_critic_is_the_squared_distance_of_its_weight_from_one() -> None:
    weight = torch.randn(12, dtype=torch.float64)
    seen = Verdict(linear(weight), images(5, 3, 2, 2), images(5, 3, 2, 2))
    assert GradientPenalty(10.0)(seen).item() == pytest.approx((weight.norm().item() - 1) ** 2)
    assert GradientPenalty(10.0)(Verdict(linear(weight / weight.norm()), seen.real, seen.fake)).item() < 1e-30


def test_the_gradient_penalty_looks_at_one_point_of_the_line_between_the_images_of_a_pair() -> None:
    torch.manual_seed(0)
    points = []
    real, fake = images(4000, 1, 2, 2), images(4000, 1, 2, 2)
    penalty = GradientPenalty(10.0)(Verdict(lambda x: points.append(x) or quadratic(x), real, fake))
    (between,) = points
    share = ((between - fake) / (real - fake)).flatten(1).detach()
    torch.testing.assert_close(share, share[:, :1].expand(-1, 4), rtol=1e-6, atol=1e-9)  # one for each image, uniform
    quantiles = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    torch.testing.assert_close(share[:, 0].quantile(quantiles), quantiles, rtol=0, atol=0.03)
    expected = (between.flatten(1).norm(dim=1) - 1).square().mean()
    assert penalty.item() == pytest.approx(expected.item())


def test_the_gradient_is_the_one_of_finite_differences() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Flatten(), nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1)).double()
    real = images(2, 2, 2, 2)
    exact = slope(critic(real)[:, 0], real)
    step = 1e-6 * torch.eye(8, dtype=torch.float64).reshape(8, 1, 2, 2, 2)
    with torch.no_grad():
        slopes = torch.stack([(critic(real + d) - critic(real - d))[:, 0] / 2e-6 for d in step], dim=1)
    torch.testing.assert_close(exact, slopes, rtol=1e-6, atol=1e-9, check_stride=False)


@pytest.mark.parametrize("regularizer", PENALTIES)
def test_it_trains_the_critic_and_nothing_else(regularizer: type[Regularizer]) -> None:
    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.Softplus(), nn.Linear(8, 1)).double()
    source = images(3, 1, 2, 2)
    fake = (2 * source).detach().requires_grad_()
    regularizer(weight=1.0)(Verdict(lambda x: critic(x)[:, 0], images(3, 1, 2, 2), fake)).backward()
    assert critic[1].weight.grad.abs().sum() > 0
    assert source.grad is None


@pytest.mark.parametrize("regularizer", PENALTIES)
def test_its_own_gradient_is_finite_where_the_critic_is_flat(regularizer: type[Regularizer]) -> None:
    weight = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    value = regularizer(weight=1.0)(Verdict(linear(weight), images(3, 1, 2, 2), images(3, 1, 2, 2)))
    value.backward()
    assert value.item() == (regularizer is GradientPenalty)
    assert weight.grad.isfinite().all()
