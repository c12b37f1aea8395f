"""Kernels have the shape that was drawn for each image."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import special
from scipy.ndimage import correlate
from torch import Tensor

from ganlit.data.images.degradations.blur import Blur, Sinc
from ganlit.data.images.degradations.kernels import filtered, mirrored
from ganlit.data.images.degradations.motion import MotionBlur
from ganlit.errors import UserError


def grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    places = np.arange(size) - size // 2
    return places[None, :], places[:, None]


@pytest.mark.parametrize("sides", [(9, 12), (3, 5), (1, 2)])
def test_every_image_is_filtered_by_its_own_kernel_and_mirrored_outside(sides: tuple[int, int]) -> None:
    """Also where an image is smaller than the kernel."""
    random = torch.Generator().manual_seed(0)
    images = torch.rand(3, 2, *sides, generator=random, dtype=torch.float64)
    kernels = torch.rand(3, 7, 7, generator=random, dtype=torch.float64)
    made = filtered(images, kernels)
    for image, kernel, result in zip(images, kernels, made, strict=True):
        for channel, expected in zip(image, result, strict=True):
            reference = correlate(channel.numpy(), kernel.numpy(), mode="mirror")
            assert np.allclose(reference, expected.numpy(), atol=1e-12)


def test_a_frame_mirrors_about_the_outermost_pixels() -> None:
    line = torch.arange(4.0).view(1, 1, 1, 4)
    assert mirrored(line, 5)[0, 0, 0].tolist() == [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2]


@pytest.mark.parametrize("shape", ["gaussian", "plateau"])
@pytest.mark.parametrize("anisotropic", [False, True])
def test_bells_have_the_formula_of_the_paper(shape: Any, anisotropic: bool, draws: Any) -> None:
    drawn = draws(20)
    kernels = Blur((0.4, 3.0), anisotropic, shape, beta=(0.5, 4.0), size=(7, 21)).kernels(drawn)
    told = {name.removeprefix("blur/"): values for name, values in drawn.told.items()}
    assert kernels.shape == (20, 21, 21)
    for number in range(20):
        one = {name: float(values[number]) for name, values in told.items()}
        size, first = int(one["size"]), one["sigma"]
        second, angle = one.get("second-sigma", first), one.get("angle", 0.0)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        inverse = np.linalg.inv(turn @ np.diag([first**2, second**2]) @ turn.T)
        x, y = grid(size)
        steep = (inverse[0, 0] * x**2 + 2 * inverse[0, 1] * x * y + inverse[1, 1] * y**2) ** one["beta"]
        expected = np.exp(-steep / 2) if shape == "gaussian" else 1 / (1 + steep)
        expected = np.pad(expected / expected.sum(), (21 - size) // 2)
        assert np.allclose(kernels[number].numpy(), expected, atol=1e-6)


def test_betas_lie_on_either_side_of_one_as_often(draws: Any) -> None:
    drawn = draws(4000)
    Blur(beta=(0.5, 4.0)).kernels(drawn)
    beta = drawn.told["blur/beta"]
    assert (beta < 1).float().mean().item() == pytest.approx(0.5, abs=0.03)
    assert beta[beta < 1].mean().item() == pytest.approx(0.75, abs=0.02)
    assert beta[beta > 1].mean().item() == pytest.approx(2.5, abs=0.06)
    for given, lowest, highest in [((1.0, 2.0), 1, 2), ((2.0, 4.0), 2, 4), ((0.5, 0.8), 0.5, 0.8)]:
        drawn = draws(100)
        Blur(beta=given).kernels(drawn)
        assert drawn.told["blur/beta"].min() >= lowest
        assert drawn.told["blur/beta"].max() <= highest


def test_sizes_are_the_odd_ones(draws: Any) -> None:
    drawn = draws(4000)
    Blur(size=(7, 21)).kernels(drawn)
    sizes, counts = drawn.told["blur/size"].unique(return_counts=True)
    assert sizes.tolist() == list(range(7, 22, 2))
    assert counts.min() > 400


def test_the_low_pass_has_the_formula_of_the_paper(draws: Any) -> None:
    drawn = draws(10)
    kernels = Sinc((math.pi / 5, math.pi), (7, 21)).kernels(drawn)
    for number in range(10):
        size, cutoff = int(drawn.told["sinc/size"][number]), float(drawn.told["sinc/cutoff"][number])
        x, y = grid(size)
        distance = np.sqrt(x**2 + y**2)
        distance[size // 2, size // 2] = 1
        expected = cutoff / (2 * math.pi * distance) * special.j1(cutoff * distance)
        expected[size // 2, size // 2] = cutoff**2 / (4 * math.pi)
        expected = np.pad(expected / expected.sum(), (21 - size) // 2)
        assert np.allclose(kernels[number].numpy(), expected, atol=1e-6)


def response(kernel: Tensor, frequency: float) -> float:
    places = torch.arange(kernel.shape[-1]) - kernel.shape[-1] // 2
    return float((kernel.sum(dim=0) * (frequency * places).cos()).sum())


def test_the_low_pass_lets_low_frequencies_through(draws: Any) -> None:
    (kernel,) = Sinc(math.pi / 2, 51).kernels(draws())
    assert response(kernel, 0.3 * math.pi) == pytest.approx(1, abs=0.1)
    assert response(kernel, 0.8 * math.pi) == pytest.approx(0, abs=0.1)


def test_a_straight_motion_is_a_line_of_its_length_and_angle(draws: Any) -> None:
    drawn = draws(30)
    kernels = MotionBlur((2.0, 20.0), shake=0.0).kernels(drawn)
    size = kernels.shape[-1]
    x, y = (torch.from_numpy(each).float() for each in grid(size))
    for kernel, length, angle in zip(kernels, drawn.told["motion/length"], drawn.told["motion/angle"], strict=True):
        assert abs((kernel * x).sum()) + abs((kernel * y).sum()) < 1e-4  # the image stays where it is
        along, across = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
        variance = length**2 / 12  # of a uniform line; spreading over pixels adds a quarter at most
        assert variance * 0.9 <= (kernel * along**2).sum() <= variance + 0.3
        assert (kernel * across**2).sum() <= 0.26
        assert kernel[(along.abs() > length / 2 + 1.5)].sum() == 0


def test_a_shaken_motion_bends_and_stays_inside(draws: Any) -> None:
    straight, shaken = (MotionBlur(20.0, shake).kernels(draws(50)) for shake in (0.0, 3.0))
    x, y = (torch.from_numpy(each).float() for each in grid(straight.shape[-1]))
    spread = lambda kernels: (kernels * (x**2 + y**2)).sum(dim=(1, 2)).mean()  # noqa: E731
    assert spread(shaken) < 0.9 * spread(straight)
    drawn = draws(50)
    MotionBlur(20.0, (1.0, 2.0)).kernels(drawn)
    assert 1 <= drawn.told["motion/shake"].min() < drawn.told["motion/shake"].max() <= 2


@pytest.mark.parametrize(
    "step",
    [Blur(), Blur((0.05, 0.1)), Blur(100.0, True), Sinc(), MotionBlur(), MotionBlur(0.0), MotionBlur(98.0, 100.0)],
)
def test_kernels_add_up_to_one_and_gradients_pass(step: Any, draws: Any) -> None:
    kernels = step.kernels(draws(5))
    assert kernels.shape[1] % 2 == 1
    assert torch.allclose(kernels.sum(dim=(1, 2)), torch.ones(5), atol=1e-5)
    images = torch.full([5, 1, 6, 6], 0.3, requires_grad=True)
    made = step(images, draws(5))
    assert torch.allclose(made, images, atol=1e-5)
    made.sum().backward()
    assert images.grad.sum().item() == pytest.approx(images.numel(), rel=1e-3)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Blur(sigma=0.0), r"Blur\.sigma is 0"),
        (lambda: Blur(size=8), r"Blur\.size is \[8, 8\]: .*odd"),
        (lambda: Blur(size=(7, 103)), r"Blur\.size is 103"),
        (lambda: Blur(beta=(0.0, 1.0)), r"Blur\.beta is 0"),
        (lambda: Sinc(cutoff=4.0), r"Sinc\.cutoff is 4"),
        (lambda: Sinc(size=(9, 7)), r"Sinc\.size is \[9, 7\]"),
        (lambda: MotionBlur(length=500.0), r"MotionBlur\.length is 500"),
        (lambda: MotionBlur(shake=-1.0), r"MotionBlur\.shake is -1"),
    ],
)
def test_what_means_nothing_is_refused(make: Any, said: str) -> None:
    with pytest.raises(UserError, match=f"^{said}"):
        make()
