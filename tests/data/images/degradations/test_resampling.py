"""Resizes equal the ones they are named for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from ganlit.data.images.degradations.resampling import Downsample, Upsample, weights
from ganlit.errors import UserError

PILLOW = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
}


def noise(height: int, width: int, hard: bool = False) -> np.ndarray:
    """The worst content; hard, it is black and white, which overshoots most."""
    drawn = np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return (drawn > 127).astype(np.uint8) * 255 if hard else drawn


@pytest.mark.parametrize("method", PILLOW)
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 5])
def test_those_of_pillow_equal_it_to_the_bit(
    method: Any, scale: int, photograph: Any, network: Any, pixels: Any, draws: Any
) -> None:
    for height, width in [(1, 1), (2, 3), (7, 5), (12, 20), (16, 16)]:
        size = (height * scale, width * scale)
        for image in (noise(*size), noise(*size, hard=True), photograph(*size)):
            for kind, wanted in [
                (Downsample, (width, height)),
                (Upsample, (size[1] * scale, size[0] * scale)),
            ]:
                made = pixels(kind(scale, method)(network(image), draws()))
                assert np.array_equal(made, np.asarray(Image.fromarray(image).resize(wanted, PILLOW[method])))


def test_grey_images_are_resized_as_those_of_pillow(photograph: Any, network: Any, pixels: Any, draws: Any) -> None:
    grey = photograph(48, 64)[:, :, 1]
    made = pixels(Downsample(4)(network(grey), draws()))[:, :, 0]
    assert np.array_equal(made, np.asarray(Image.fromarray(grey).resize((16, 12), Image.Resampling.BICUBIC)))


def imresize(image: np.ndarray, scale: float) -> np.ndarray:
    """MATLAB's `imresize(image, scale, "bicubic")` of [H, W, C] in double precision, as its source does it.

    Columns k of outputs, with MATLAB's numbers from 1: their place in the input, the leftmost pixel that counts, the
    weights of all that may, divided by their sum, and places outside mirrored with the border repeated.
    """

    def kernel(x: np.ndarray) -> np.ndarray:
        x = np.abs(x)
        inner = 1.5 * x**3 - 2.5 * x**2 + 1
        outer = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
        return inner * (x <= 1) + outer * ((x > 1) & (x <= 2))

    def contributions(length: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        antialiased = scale < 1
        width = 4 / scale if antialiased else 4
        k = np.arange(1, size + 1)
        place = k / scale + 0.5 * (1 - 1 / scale)
        left = np.floor(place - width / 2)
        indices = left[:, None] + np.arange(int(np.ceil(width)) + 2)
        distance = place[:, None] - indices
        weight = scale * kernel(scale * distance) if antialiased else kernel(distance)
        weight /= weight.sum(axis=1, keepdims=True)
        mirrored = np.concatenate([np.arange(1, length + 1), np.arange(length, 0, -1)])
        return weight, mirrored[(indices.astype(int) - 1) % (2 * length)] - 1

    for axis in (0, 1):
        image = np.moveaxis(image, axis, 0)
        weight, indices = contributions(len(image), int(np.ceil(len(image) * scale)))
        image = np.moveaxis((weight[:, :, None, None] * image[indices]).sum(axis=1), 0, axis)
    return image


@pytest.mark.parametrize(("kind", "scale"), [(Downsample, 2), (Downsample, 3), (Downsample, 4), (Upsample, 3)])
def test_matlab_is_imresize(kind: Any, scale: int, photograph: Any, network: Any, pixels: Any, draws: Any) -> None:
    for height, width in [(12, 12), (24, 60), (96, 48)]:
        for image in (noise(height, width, hard=True), photograph(height, width)):
            expected = imresize(image.astype(float), 1 / scale if kind is Downsample else scale)
            exact = kind(scale, "matlab", bits=None)(network(image), draws())
            clamped = torch.from_numpy(expected.clip(0, 255) / 127.5 - 1).permute(2, 0, 1)[None]
            assert (exact - clamped).abs().max() < 1e-6
            saved = pixels(kind(scale, "matlab")(network(image), draws()))
            assert np.array_equal(saved, np.floor(expected.clip(0, 255) + 0.5))


def test_the_border_tells_pillow_from_matlab(photograph: Any, network: Any, draws: Any) -> None:
    one, other = (
        Downsample(4, method, bits=None)(network(photograph(64, 64)), draws()) for method in ("bicubic", "matlab")
    )
    assert (one - other)[:, :, 2:-2, 2:-2].abs().max() < 1e-4
    assert (one - other).abs().max() > 1e-3


def test_area_is_the_mean_and_nearest_is_in_the_middle(photograph: Any, network: Any, pixels: Any, draws: Any) -> None:
    image = photograph(30, 45)
    blocks = image.reshape(10, 3, 15, 3, 3)
    area = pixels(Downsample(3, "area")(network(image), draws()))
    assert np.array_equal(area, np.floor(blocks.mean(axis=(1, 3)) + 0.5))
    assert np.array_equal(pixels(Downsample(3, "nearest")(network(image), draws())), blocks[:, 1, :, 1])


def test_the_aliased_ones_are_those_of_torch(photograph: Any, network: Any, draws: Any) -> None:
    image = network(photograph(32, 32))
    for name in ("bicubic", "bilinear"):
        made = Downsample(4, f"aliased-{name}", bits=None)(image, draws())
        assert torch.equal(made, interpolate(image, scale_factor=0.25, mode=name).clamp(-1, 1))


@pytest.mark.parametrize("method", ["bicubic", "matlab", "bilinear", "area", "nearest", "aliased-bicubic"])
@pytest.mark.parametrize("bits", [8, 16, None])
def test_flat_images_stay_flat_and_steps_are_those_of_the_bits(method: Any, bits: Any, draws: Any) -> None:
    flat = torch.full([1, 2, 12, 8], 77 / 127.5 - 1)
    assert (Downsample(4, method, bits)(flat, draws()) - flat[:, :, :3, :2]).abs().max() < 2e-6
    image = torch.rand(1, 2, 12, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    made = Downsample(4, method, bits)(image, draws()).double()
    if bits is not None:
        counts = (made + 1) * (2**bits - 1) / 2
        assert (counts - counts.round()).abs().max() < 0.01
    else:
        counts = (made + 1) * 127.5
        assert (counts - counts.round()).abs().max() > 0.1


@pytest.mark.parametrize("method", ["bicubic", "matlab", "area", "nearest", "aliased-bicubic"])
def test_gradients_pass_as_if_nothing_were_rounded(method: Any, draws: Any) -> None:
    image = (torch.rand(1, 1, 8, 8, dtype=torch.float64) - 0.5).requires_grad_()
    exact, rounded = (
        torch.autograd.grad((Downsample(2, method, bits)(image, draws()) ** 2).sum(), image)[0] for bits in (None, 8)
    )
    assert exact.abs().sum() > 0
    assert (exact - rounded).abs().max() < 0.02
    exactly = Downsample(2, method, None)
    assert torch.autograd.gradcheck(lambda x: exactly(x, draws()), (image,))


def test_what_a_validation_has_kept_stands_in_a_graph_later(draws: Any) -> None:
    weights.cache_clear()
    step = Downsample(2, "matlab")
    with torch.inference_mode():
        step(torch.zeros(1, 1, 10, 10), draws())
    image = torch.zeros(1, 1, 10, 10, requires_grad=True)
    step(image, draws()).sum().backward()
    assert image.grad.abs().sum() > 0


def test_scales_that_do_not_divide_are_refused(draws: Any) -> None:
    with pytest.raises(UserError, match=r"^Downsample\.scale is 4, which does not divide images of 30 x 32 .*multiple"):
        Downsample(4)(torch.zeros(1, 3, 30, 32), draws())
    for kind in (Downsample, Upsample):
        for scale in (0, -2, 257):
            with pytest.raises(UserError, match=rf"^{kind.__name__}\.scale is {scale}: it must be at least 1"):
                kind(scale)
    assert Downsample(4).scale == 4
    assert Upsample(4).scale * 4 == 1
