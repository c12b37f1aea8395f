"""Jpeg does what Pillow does when it saves and reads."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganlit.data.images.degradations.jpeg import CHROMA, LUMA, Jpeg, scaled
from ganlit.errors import UserError

QUALITIES = (1, 10, 30, 50, 75, 95, 100)
SIZES = ((64, 64), (45, 77), (33, 16), (100, 101), (8, 8), (9, 7))


def saved(image: np.ndarray, quality: int) -> Image.Image:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return Image.open(file)


def through(image: np.ndarray, quality: int) -> np.ndarray:
    """Saved by Pillow and read again, [H, W, C]."""
    return np.asarray(saved(image, quality)).reshape(*image.shape[:2], -1).astype(int)


def test_tables_are_those_that_pillow_writes(photograph: Any) -> None:
    for quality in range(1, 101):
        written = saved(photograph(16, 16), quality).quantization
        for number, steps in enumerate((LUMA, CHROMA)):
            assert list(written[number]) == scaled(steps, torch.tensor([quality])).flatten().int().tolist()


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("colours", [True, False])
def test_results_are_those_of_pillow(
    quality: int, colours: bool, photograph: Any, network: Any, pixels: Any, draws: Any
) -> None:
    """All but equal: a ninth of a step of 255 apart on the average, as few frequencies are rounded otherwise."""
    errors, lost = [], []
    for height, width in SIZES:
        image = photograph(height, width) if colours else photograph(height, width)[:, :, 0]
        expected = through(image, quality)
        error = np.abs(pixels(Jpeg(quality)(network(image), draws())) - expected)
        assert error.mean() < 0.5, (height, width)
        errors.append(error.flatten())
        lost.append(np.abs(expected - image.reshape(expected.shape)).flatten())
    assert np.concatenate(errors).mean() < 1 / 9
    assert (np.concatenate(errors) > 1).mean() < 0.03
    if quality < 100:
        assert np.concatenate(lost).mean() > 10 * np.concatenate(errors).mean()


def test_every_image_has_its_own_quality(photograph: Any, network: Any, draws: Any) -> None:
    batch = network(photograph(40, 56)).repeat(12, 1, 1, 1)
    drawn = draws(12)
    made = Jpeg((5, 90))(batch, drawn)
    qualities = drawn.told["jpeg/quality"].int().tolist()
    assert len(set(qualities)) > 6
    for image, quality in zip(made, qualities, strict=True):
        assert torch.equal(image, Jpeg(quality)(batch[:1], draws())[0])


def test_all_qualities_of_a_range_are_drawn_both_ends_included(draws: Any) -> None:
    drawn = draws(500)
    Jpeg((30, 33))(torch.zeros(500, 1, 1, 1), drawn)
    assert drawn.told["jpeg/quality"].unique().tolist() == [30, 31, 32, 33]


@pytest.mark.parametrize("differentiable", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_reach_the_images(differentiable: bool, channels: int, draws: Any) -> None:
    image = ((torch.rand(1, channels, 20, 12) - 0.5) * 1.5).requires_grad_()
    made = Jpeg(60, differentiable)(image, draws())
    gradient = torch.autograd.grad((made * image.detach()).sum(), image)[0]
    assert gradient.isfinite().all()
    # Nearly all of it passes, but for half of what is colour.
    nearness = torch.cosine_similarity(gradient.flatten(), image.detach().flatten(), dim=0)
    assert nearness > (0.2 if differentiable else 0.5)


def test_the_polynomial_is_near_to_rounding(photograph: Any, network: Any, draws: Any) -> None:
    image = network(photograph(64, 64))
    hard, soft = (Jpeg(30, differentiable)(image, draws()) for differentiable in (False, True))
    assert 0 < (hard - soft).abs().mean() < (hard - image).abs().mean() / 2


def test_what_it_cannot_take_is_refused(draws: Any) -> None:
    for quality in (0, 101, (50, 30), (30, 101)):
        with pytest.raises(UserError, match=r"^Jpeg\.quality is"):
            Jpeg(quality)
    with pytest.raises(UserError, match=r"^Jpeg takes images with 1 channel or 3, not 4"):
        Jpeg(50)(torch.zeros(1, 4, 8, 8), draws())
