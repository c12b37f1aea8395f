"""Motion codes: continuous, without end, and the same whatever is asked beside them."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from ganlit.errors import UserError
from ganlit.networks.video.motion import MotionCodes, continued


def codes(distance: int = 4) -> MotionCodes:
    torch.manual_seed(0)
    return MotionCodes(dim=6, z_dim=3, distance=distance).double()


def expected(motion: MotionCodes, noise: Tensor, time: float) -> Tensor:
    """One code [dim] of one noise [places, z_dim], as section 3.1 of the paper writes it, step by step."""
    u = noise.T[None]
    for layer in motion.mapping:
        u = F.leaky_relu(F.conv1d(u, layer.weight, layer.bias), 0.2) * math.sqrt(2)
    u = u[0].T
    left = math.floor(time / motion.distance)
    share = time / motion.distance - left
    amplitude, frequency, phase = motion.wave(u[left]).chunk(3)

    def wave(share: float) -> Tensor:
        return amplitude * (2 * math.pi * motion.waves * (1 + frequency.tanh()) * share + phase).sin()

    straight = (1 - share) * wave(0) + share * wave(1)
    return wave(share) - straight + (1 - share) * motion.line(u[left]) + share * motion.line(u[left + 1])


def test_codes_are_those_of_the_paper() -> None:
    motion, noise = codes(), torch.randn(2, 9, 3).double()
    times = torch.tensor([[0.0, 1.0, 3.5, 4.0, 9.25], [2.0, 4.5, 7.999, 12.0, 15.0]]).double()
    found = motion(noise, times)
    for item in range(2):
        for place in range(5):
            torch.testing.assert_close(found[item, place], expected(motion, noise[item], times[item, place].item()))


def test_at_a_code_there_are_no_waves() -> None:
    """Equation by equation: there v(t) is what the learned matrix makes of the code, whatever waves it has."""
    motion, noise = codes(), torch.randn(2, 12, 3).double()
    times = torch.arange(6, dtype=torch.float64).mul(motion.distance).expand(2, -1)
    found = motion(noise, times)
    still = codes()
    torch.nn.init.zeros_(still.wave.weight)
    torch.nn.init.zeros_(still.wave.bias)
    torch.testing.assert_close(found, still(noise, times))
    between = times + 1.5
    assert (motion(noise, between) - still(noise, between)).abs().amax(dim=2).min() > 1e-3


def test_they_are_continuous_also_where_one_code_follows_another() -> None:
    motion, noise = codes(), torch.randn(1, 12, 3).double()
    times = torch.linspace(0, 19.99, 4000).double()[None]
    steps = motion(noise, times).diff(dim=1).norm(dim=2)[0]
    assert steps.max() < 0.05  # of numbers of about one
    assert steps.max() < 8 * steps.median()


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(1, 40), st.floats(0.1, 3))
def test_there_is_noise_for_every_frame_of_a_clip(distance: int, frames: int, step: float) -> None:
    motion = codes(distance)
    places = motion.places(step * frames)
    needed = math.floor((distance + step * (frames - 1)) / distance) + 2 + 4  # its last code, and what that is made of
    assert needed <= places <= needed + 3


def test_each_code_depends_on_its_noise_alone() -> None:
    motion, noise, times = codes(), torch.randn(1, 12, 3).double().requires_grad_(), torch.tensor([[9.0]]).double()
    (gradient,) = torch.autograd.grad(motion(noise, times).sum(), noise)
    assert gradient[0].any(dim=1).nonzero()[:, 0].tolist() == [2, 3, 4, 5, 6, 7]  # codes 2 and 3 of two convolutions


def test_noise_goes_on_as_it_began() -> None:
    torch.manual_seed(0)
    z = torch.randn(200, 30)
    noise = z[:, :24].unflatten(1, (8, 3))
    longer, longest = continued(z, noise, 11), continued(z, noise, 40)
    assert torch.equal(longest[:, :11], longer)
    assert torch.equal(longer[:, :8], noise)
    assert torch.equal(continued(z[7:9], noise[7:9], 40), longest[7:9])  # whatever is beside an item
    assert torch.equal(continued(z, noise, 5), noise[:, :5])
    after = longest[:, 8:]
    assert after.mean().item() == pytest.approx(0, abs=0.03)
    assert after.std().item() == pytest.approx(1, abs=0.03)
    assert torch.corrcoef(after.flatten(1).T).fill_diagonal_(0).abs().max() < 0.4


def test_sizes_that_mean_nothing_are_refused() -> None:
    with pytest.raises(UserError, match=r"MotionCodes\.distance is 0"):
        MotionCodes(distance=0)
