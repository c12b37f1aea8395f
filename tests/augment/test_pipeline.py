"""How often each transform is met, how strong it is, and what it leaves alone."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ganlit.augment.pipeline import about_luma, blitting, deformation, recolour

MANY = 20000
LOG2 = math.log(2)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def share(happened: Tensor) -> float:
    return happened.float().mean().item()


def untouched(matrix: Tensor) -> Tensor:
    return (matrix == torch.eye(2)).flatten(1).all(dim=1)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
def test_each_part_of_blitting_is_met_with_probability_p(p: float) -> None:
    matrix, shift = blitting(MANY, 16, 16, torch.tensor(p))
    # Half of the flips flip nothing, a quarter of the turns turn nothing, a sixteenth of the shifts rounds to none.
    assert share(untouched(matrix)) == pytest.approx((1 - p / 2) * (1 - 3 * p / 4), abs=0.015)
    assert share((shift == 0).all(dim=1)) == pytest.approx(1 - p + p / 16, abs=0.015)


def test_blitting_moves_whole_pixels_in_every_way_there_is() -> None:
    matrix, shift = blitting(MANY, 16, 32, torch.tensor(1.0))
    assert len(matrix.unique(dim=0)) == 8
    assert torch.equal(matrix @ matrix.mT, torch.eye(2).expand(MANY, 2, 2))
    moved = matrix.mT @ shift[..., None]
    assert torch.equal(moved.round(), moved)
    assert moved[:, 0, 0].unique().tolist() == list(range(-4, 5))
    assert moved[:, 1, 0].unique().tolist() == list(range(-2, 3))


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
def test_each_part_of_the_deformation_is_met_with_probability_p(p: float) -> None:
    matrix, shift = deformation(MANY, 16, 16, torch.tensor(p))
    assert share(untouched(matrix)) == pytest.approx((1 - p) ** 3, abs=0.015)  # no scale, no stretch, neither rotation
    assert share((shift == 0).all(dim=1)) == pytest.approx(1 - p, abs=0.015)


def test_the_deformation_has_the_strengths_of_the_paper() -> None:
    matrix, shift = deformation(MANY, 16, 64, torch.tensor(1.0))
    values = torch.linalg.svdvals(matrix).log()
    assert (values.sum(dim=1) / 2).std().item() == pytest.approx(0.2 * LOG2, rel=0.03)
    assert (values[:, 0] - values[:, 1]).square().mean().sqrt().item() / 2 == pytest.approx(0.2 * LOG2, rel=0.03)
    angle = torch.atan2(matrix[:, 1, 0] - matrix[:, 0, 1], matrix[:, 0, 0] + matrix[:, 1, 1])
    torch.testing.assert_close(angle.quantile(torch.tensor([0.25, 0.75])), torch.tensor([-0.5, 0.5]) * math.pi, **NEAR)
    moved = torch.linalg.solve(matrix, shift)
    torch.testing.assert_close(moved.std(dim=0), torch.tensor([8.0, 2.0]), rtol=0.03, atol=0)


NEAR = {"rtol": 0.0, "atol": 0.08}


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_each_part_of_the_colours_is_met_with_probability_p(channels: int, p: float) -> None:
    images = torch.randn(MANY, channels, 1, 1)
    same = (recolour(images, torch.tensor(p)) == images).flatten(1).all(dim=1)
    expected = (1 - p) ** 2 if channels == 1 else (1 - p) ** 4 * (1 - p / 2)  # half of the luma flips flip nothing
    assert share(same) == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize("channels", [1, 3])
def test_greys_stay_grey_and_brightness_comes_before_contrast(channels: int) -> None:
    greys = torch.tensor([-0.5, 0.5]).expand(MANY, channels, 1, 2)
    changed = recolour(greys, torch.tensor(1.0))
    torch.testing.assert_close(changed, changed.mean(dim=1, keepdim=True).expand_as(changed), rtol=0, atol=1e-5)
    contrast = changed[:, 0, 0, 1] - changed[:, 0, 0, 0]
    brightness = changed[:, 0, 0].mean(dim=1) / contrast
    assert contrast.abs().log().std().item() == pytest.approx(0.5 * LOG2, rel=0.03)
    assert brightness.std().item() == pytest.approx(0.2, rel=0.03)
    assert share(contrast < 0) == pytest.approx(0.5 if channels == 3 else 0.0, abs=0.015)


def test_hue_and_saturation_turn_and_scale_what_is_not_grey() -> None:
    red = torch.tensor([1.0, 0.0, 0.0])[:, None, None].expand(MANY, 3, 1, 1)
    matrix_of_contrast = recolour(torch.ones_like(red), torch.tensor(0.0))
    assert torch.equal(matrix_of_contrast, torch.ones_like(red))
    colour = recolour(red, torch.tensor(1.0)).flatten(1)
    plane = colour - colour.mean(dim=1, keepdim=True)
    length = plane.norm(dim=1).log()
    assert length.std().item() == pytest.approx(math.hypot(LOG2, 0.5 * LOG2), rel=0.03)  # saturation and contrast
    direction = torch.nn.functional.normalize(plane)
    torch.testing.assert_close(direction.mean(dim=0), torch.zeros(3), rtol=0, atol=0.03)  # all hues alike


def test_about_luma_is_the_matrix_of_the_paper() -> None:
    axis = torch.full((3, 1), 1 / math.sqrt(3))
    along, across = axis @ axis.T, torch.eye(3) - axis @ axis.T
    one, two, none = torch.ones(1), torch.full((1,), 2.0), torch.zeros(1)
    assert torch.equal(about_luma(one, one, none)[0], torch.eye(3))
    torch.testing.assert_close(about_luma(-one, one, none)[0], torch.eye(3) - 2 * along)
    torch.testing.assert_close(about_luma(one, two, none)[0], along + 2 * across)
    angle = torch.tensor([0.7])
    hue = about_luma(one, angle.cos(), angle.sin())[0]
    torch.testing.assert_close(hue @ hue.T, torch.eye(3))
    torch.testing.assert_close(hue @ axis, axis)
    assert torch.linalg.det(hue).item() == pytest.approx(1)
    assert hue.trace().item() == pytest.approx(1 + 2 * math.cos(0.7))
