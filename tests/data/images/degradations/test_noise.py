"""Noise has the size that was drawn for each image, and is nothing but noise."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ganlit.data.images.degradations.noise import Noise, PoissonNoise, values
from ganlit.errors import UserError


def test_gaussian_noise_has_the_deviation_that_was_drawn(draws: Any) -> None:
    drawn, images = draws(8), torch.zeros(8, 3, 64, 64)
    noise = Noise((5.0, 40.0))(images, drawn) * 127.5
    sigma = drawn.told["noise/sigma"]
    assert 5 <= sigma.min() < 15 < 30 < sigma.max() <= 40
    assert torch.allclose(noise.std(dim=(1, 2, 3)), sigma, rtol=0.03)
    assert (noise.mean(dim=(1, 2, 3)).abs() < 4 * sigma / noise[0].numel() ** 0.5).all()
    colours = noise.transpose(0, 1).flatten(1).corrcoef()
    assert (colours - torch.eye(3)).abs().max() < 0.02


def test_some_get_the_same_noise_in_all_channels(draws: Any) -> None:
    drawn = draws(400)
    noise = Noise(20.0, grey=0.4)(torch.zeros(400, 3, 4, 4), drawn)
    same = (noise == noise[:, :1]).all(dim=3).all(dim=2).all(dim=1)
    assert torch.equal(same.float(), drawn.told["noise/grey"])
    assert same.float().mean().item() == pytest.approx(0.4, abs=0.08)


def test_noise_is_clipped_as_an_image_is(draws: Any) -> None:
    white = Noise(100.0)(torch.ones(1, 1, 64, 64), draws())
    assert white.max() == 1
    assert white.min() >= -1
    assert (white == 1).float().mean().item() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("shades", [16, 12, 9])
def test_shot_noise_grows_with_the_light(shades: int, draws: Any) -> None:
    """Of n photons the variance is n; an image of 9 to 16 values is counted as if white were 16 of them."""
    share = torch.arange(shades) * 17 / 255
    images = (share * 2 - 1).view(1, 1, shades, 1).expand(1, 1, shades, 4000)
    for strength in (1.0, 0.5):
        noise = (PoissonNoise(strength)(images, draws()) - images) * 8  # in photons
        expected = strength**2 * share * 16
        assert torch.allclose(noise.var(dim=3)[0, 0, 1:8], expected[1:8], rtol=0.1)  # brighter ones are clipped
        assert noise[0, 0, 0].eq(0).all()
        assert noise.mean(dim=3)[0, 0, :8].abs().max() < 0.15


def test_shot_noise_of_a_grey_sensor_is_that_of_the_luma(draws: Any) -> None:
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) - 0.8
    noise = PoissonNoise(0.2, grey=1.0)(images, draws(2)) - images
    assert (noise - noise[:, :1]).abs().max() < 1e-6
    assert noise.abs().max() > 0


def test_values_are_counted_image_by_image() -> None:
    images = torch.tensor([[3, 3, 3, 3], [0, 255, 0, 7]]).view(2, 1, 2, 2).float()
    assert values(images).tolist() == [1, 3]


@pytest.mark.parametrize("step", [Noise(20.0), PoissonNoise(0.5), PoissonNoise(0.5, grey=1.0)])
def test_the_gradient_sees_a_constant(step: Any, draws: Any) -> None:
    images = torch.linspace(-0.2, 0.2, 2 * 3 * 64).view(2, 3, 8, 8).requires_grad_()
    step(images, draws(2)).sum().backward()
    assert images.grad.eq(1).all()


@pytest.mark.parametrize(
    ("kind", "arguments", "key"),
    [
        (Noise, {"sigma": -1.0}, r"Noise\.sigma is -1"),
        (Noise, {"sigma": (30.0, 10.0)}, r"Noise\.sigma is \[30.0, 10.0\]: .*lower number"),
        (Noise, {"sigma": float("nan")}, r"Noise\.sigma is nan"),
        (Noise, {"grey": 1.5}, r"Noise\.grey is 1.5"),
        (PoissonNoise, {"strength": (0.0, 101.0)}, r"PoissonNoise\.strength is 101"),
        (PoissonNoise, {"grey": -0.5}, r"PoissonNoise\.grey is -0.5"),
    ],
)
def test_what_means_nothing_is_refused(kind: Any, arguments: Any, key: str) -> None:
    with pytest.raises(UserError, match=f"^{key}"):
        kind(**arguments)
