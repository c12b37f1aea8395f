"""DiffAugment: what each part may change, and what it must leave."""

from __future__ import annotations

import pytest
import torch

from ganlit.augment.diffaugment import DiffAugment, brightness, contrast, cutout, saturation, translation
from ganlit.errors import UserError


@pytest.fixture
def images() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(64, 3, 16, 16) + 0.5


def test_translation_equals_a_shift_of_each_image(images: torch.Tensor) -> None:
    torch.manual_seed(1)
    moved = translation(images)
    torch.manual_seed(1)
    down = torch.randint(-2, 3, (64, 1))[:, 0]
    right = torch.randint(-2, 3, (64, 1))[:, 0]
    for image, result, dy, dx in zip(images, moved, down.tolist(), right.tolist(), strict=True):
        expected = torch.zeros_like(image)
        for y in range(16):
            for x in range(16):
                if 0 <= y + dy < 16 and 0 <= x + dx < 16:
                    expected[:, y, x] = image[:, y + dy, x + dx]
        assert torch.equal(result, expected)
    assert len(set(down.tolist())) == len(set(right.tolist())) == 5


def test_cutout_blanks_one_square_and_leaves_the_rest(images: torch.Tensor) -> None:
    cut = cutout(images)
    hidden = cut == 0
    assert torch.equal(cut[~hidden], images[~hidden])
    rows, columns = hidden[:, 0].any(dim=2).sum(dim=1), hidden[:, 0].any(dim=1).sum(dim=1)
    assert torch.equal(hidden[:, 0].sum(dim=(1, 2)), rows * columns)
    assert rows.max() == columns.max() == 8
    assert rows.min() >= 4


def test_colour_changes_one_statistic_and_keeps_the_others(images: torch.Tensor) -> None:
    brighter = brightness(images) - images
    torch.testing.assert_close(brighter, brighter[:, :1, :1, :1].expand_as(brighter), rtol=0, atol=1e-6)
    assert brighter.abs().max() <= 0.5
    torch.testing.assert_close(saturation(images).mean(dim=1), images.mean(dim=1))
    torch.testing.assert_close(contrast(images).mean(dim=(1, 2, 3)), images.mean(dim=(1, 2, 3)))
    spread = contrast(images).std(dim=(1, 2, 3)) / images.std(dim=(1, 2, 3))
    assert 0.5 <= spread.min() < spread.max() <= 1.5


def test_every_image_meets_its_own_transform_and_gradients_come_back(images: torch.Tensor) -> None:
    same = images[:1].repeat(64, 1, 1, 1).requires_grad_()
    augmented = DiffAugment("color,translation,cutout")(same)
    assert len(augmented.detach().flatten(1).unique(dim=0)) == 64
    augmented.sum().backward()
    assert same.grad.abs().sum() > 0


def test_an_unknown_part_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"'rotation'.*color, translation, cutout"):
        DiffAugment("translation,rotation")
