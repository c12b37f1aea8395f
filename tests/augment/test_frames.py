"""Clips are augmented as images are, alike over their frames."""

from __future__ import annotations

import pytest
import torch

from ganlit.augment.adaptive import ADA
from ganlit.augment.base import Augment
from ganlit.augment.diffaugment import DiffAugment

BUILD = [
    lambda: DiffAugment("color,translation,cutout"),
    lambda: DiffAugment("cutout"),
    lambda: ADA(p=1.0, target=None),
    lambda: ADA(p=1.0, target=None, color=False),
    lambda: ADA(p=1.0, target=None, blit=False, geometry=False),
]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("build", BUILD)
def test_all_frames_of_a_clip_are_changed_alike(build: type[Augment], channels: int) -> None:
    torch.manual_seed(0)
    image = torch.rand(16, channels, 1, 8, 8)
    found = build()(image.expand(-1, -1, 5, -1, -1))
    torch.testing.assert_close(found, found[:, :, :1].expand_as(found))
    assert found.shape == (16, channels, 5, 8, 8)
    assert len({tuple(each.flatten().tolist()) for each in found - image}) == 16  # and each clip in its own way


@pytest.mark.parametrize("build", BUILD)
def test_a_clip_of_one_frame_is_an_image(build: type[Augment]) -> None:
    images = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(2)
    expected = build()(images)
    torch.manual_seed(2)
    torch.testing.assert_close(build()(images[:, :, None])[:, :, 0], expected)


def test_each_pixel_of_a_frame_goes_where_that_of_another_goes() -> None:
    torch.manual_seed(0)
    clips = torch.rand(8, 2, 3, 8, 8, requires_grad=True)
    augment = DiffAugment("translation")
    torch.manual_seed(3)
    found = augment(clips)
    for frame in range(3):
        torch.manual_seed(3)
        assert torch.equal(found[:, :, frame], augment(clips[:, :, frame]))
    found.sum().backward()
    assert clips.grad.any()


def test_of_no_probability_nothing_changes() -> None:
    clips = torch.rand(4, 3, 2, 8, 8)
    assert torch.equal(ADA(p=0.0)(clips), clips)
