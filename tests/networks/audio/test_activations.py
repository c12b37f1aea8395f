"""Periodic activations, and filters around them that leave no alias."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import signal
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.networks.audio.activations import Quiet, Snake, low_pass


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("height", [False, True])
def test_a_snake_is_that_of_the_equation_and_its_gradient_that_of_differences(height: bool, logarithmic: bool) -> None:
    torch.manual_seed(0)
    act, x = Snake(3, height, logarithmic).double(), torch.randn(2, 3, 5).double()
    for parameter in act.parameters():
        parameter.data.uniform_(0.5, 1.5)
    alpha = act.alpha.exp() if logarithmic else act.alpha
    beta = (act.beta.exp() if logarithmic else act.beta) if height else alpha
    for channel in range(3):
        expected = x[:, channel] + (1 / beta[channel]) * torch.sin(alpha[channel] * x[:, channel]) ** 2
        torch.testing.assert_close(act(x)[:, channel], expected, atol=1e-8, rtol=0)
    names = [name for name, _ in act.named_parameters()]
    given = [x.requires_grad_(), *act.parameters()]
    assert torch.autograd.gradcheck(
        lambda x, *values: torch.func.functional_call(act, dict(zip(names, values, strict=True)), (x,)), given
    )


def test_a_snake_begins_at_one() -> None:
    x = torch.linspace(-3, 3, 7)[None, None]
    for act in (Snake(1), Snake(1, logarithmic=True), Snake(1, height=True, logarithmic=True)):
        torch.testing.assert_close(act(x), x + x.sin().square())


def test_the_filter_is_a_sinc_under_the_window_of_kaiser() -> None:
    beta = signal.kaiser_beta(2.285 * 5 * math.pi * 1.2 + 7.95)
    time = np.arange(12) - 5.5
    expected = np.sinc(time / 2) * np.kaiser(12, beta)
    np.testing.assert_allclose(low_pass(0.25, 0.3, 12).numpy(), expected / expected.sum(), atol=1e-7)


def bigvgan(act: nn.Module, x: Tensor) -> Tensor:
    """As the authors' code has it, arXiv 2206.04658: up by two, act, down by two."""
    kernel = low_pass(0.25, 0.3, 12).to(x).expand(x.shape[1], 1, -1)
    x = F.pad(x, (5, 5), mode="replicate")
    x = 2 * F.conv_transpose1d(x, kernel, stride=2, groups=x.shape[1])
    x = act(x[..., 15:-15])
    x = F.pad(x, (5, 6), mode="replicate")
    return F.conv1d(x, kernel, stride=2, groups=x.shape[1])


@pytest.mark.parametrize("places", [1, 2, 7, 64])
def test_it_is_that_of_bigvgan(places: int) -> None:
    act = Quiet(Snake(3, True, True))
    x = torch.randn(2, 3, places)
    torch.testing.assert_close(act(x), bigvgan(act.act, x))
    assert act.up(x).shape == (2, 3, 2 * places)


def test_gradients_are_those_of_differences() -> None:
    torch.manual_seed(0)
    assert torch.autograd.gradcheck(Quiet(Snake(2)).double(), torch.randn(1, 2, 9).double().requires_grad_())


def loudness(sound: Tensor, frequency: float) -> float:
    """dB of a tone in sound [T], in periods a place, by a window that hides nothing else."""
    window = torch.from_numpy(signal.windows.blackmanharris(len(sound)))
    turning = torch.polar(window, -2 * math.pi * frequency * torch.arange(len(sound), dtype=torch.float64))
    return 20 * math.log10(float((turning * sound).sum().abs() / window.sum() * 2))


@pytest.mark.parametrize(("frequency", "less"), [(0.3, 11.0), (0.34, 12.5), (0.38, 10.0), (0.42, 6.5), (0.46, 5.0)])
def test_a_tone_above_a_quarter_of_the_rate_leaves_less_of_an_alias(frequency: float, less: float) -> None:
    tone = (2 * math.pi * frequency * torch.arange(4096, dtype=torch.float64)).sin()[None, None]
    act = Snake(1).double()
    alias = 1 - 2 * frequency  # of the second harmonic, which is above half the rate
    folded, quiet = (loudness(each(tone).detach()[0, 0, 1000:-1000], alias) for each in (act, Quiet(act)))
    assert folded == pytest.approx(-9.05, abs=0.1)  # 20 log10 of Bessel's J2(2)
    assert quiet < folded - less


def test_a_tone_whose_harmonics_are_below_half_the_rate_keeps_them() -> None:
    tone = (2 * math.pi * 0.05 * torch.arange(4096, dtype=torch.float64)).sin()[None, None]
    act = Snake(1).double()
    for harmonic in (0.05, 0.1, 0.2):
        whole, quiet = (loudness(each(tone).detach()[0, 0, 1000:-1000], harmonic) for each in (act, Quiet(act)))
        assert quiet == pytest.approx(whole, abs=0.5)


def test_a_low_tone_goes_through_as_it_is() -> None:
    tone = (0.1 * torch.arange(512)).sin()[None, None]
    found = Quiet(nn.Identity())(tone)
    assert (found - tone)[..., 10:-10].abs().max() < 1e-2
    constant = torch.full((1, 1, 20), 0.7)
    torch.testing.assert_close(Quiet(nn.Identity())(constant), constant)


def test_a_place_depends_on_no_other_than_its_reach() -> None:
    x = torch.randn(1, 1, 40, requires_grad=True)
    act = Quiet(Snake(1))
    (gradient,) = torch.autograd.grad(act(x)[0, 0, 20], x)
    assert gradient[0, 0].nonzero()[:, 0].tolist() == list(range(20 - act.reach, 20 + act.reach + 1))
