"""VGAN: its size, clips of any length, classes, refusals."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
import torch

from ganlit.errors import UserError
from ganlit.networks.video.vgan import ClipDiscriminator, ClipGenerator, strides

LABEL = torch.tensor([0, 2])


def small(**options: Any) -> tuple[ClipGenerator, ClipDiscriminator]:
    torch.manual_seed(0)
    sizes = {"frames": 4, "resolution": 8, "channels": 1, "width": 4} | options
    return ClipGenerator(**sizes, z_dim=5), ClipDiscriminator(**sizes)


def test_they_have_as_many_weights_as_those_of_the_paper() -> None:
    """Figure 1, one stream: 4x4x4 kernels from 512 maps of 2x4x4 on, and the mirror image of that."""
    maps = [512, 256, 128, 64]
    inner = sum(64 * one * other for one, other in pairwise(maps))
    with torch.device("meta"):
        sizes = [
            sum(each.numel() for each in network.parameters()) for network in (ClipGenerator(), ClipDiscriminator())
        ]
    assert sizes[0] == 100 * 512 * 2 * 4 * 4 + inner + 2 * sum(maps) + 64 * 64 * 3 + 3
    assert sizes[1] == 3 * 64 * 64 + 64 + inner + 2 * (512 + 256 + 128) + 512 * 2 * 4 * 4 + 1


@pytest.mark.parametrize(
    ("frames", "resolution", "expected"),
    [
        (32, 64, [2, 2, 2, 2]),
        (16, 32, [2, 2, 2]),
        (8, 32, [2, 2, 1]),
        (12, 32, [2, 2, 1]),
        (5, 8, [1]),
        (2, 16, [1, 1]),
    ],
)
def test_clips_of_any_length_have_layers(frames: int, resolution: int, expected: list[int]) -> None:
    assert strides(frames, resolution) == expected
    generator, discriminator = small(frames=frames, resolution=resolution, channels=3, width=1)
    clip = generator(torch.randn(2, 5), LABEL)
    assert clip.shape == (2, 3, frames, resolution, resolution)
    assert clip.abs().max() <= 1
    assert discriminator(clip, LABEL).shape == (2,)
    assert frames // math.prod(expected) >= 2


@pytest.mark.parametrize("classes", [0, 3])
def test_every_weight_is_trained_and_classes_count(classes: int) -> None:
    generator, discriminator = small(classes=classes)
    clip = generator(torch.randn(2, 5), LABEL)
    discriminator(clip, LABEL).square().sum().backward()
    for network in (generator, discriminator):
        assert [name for name, each in network.named_parameters() if each.grad is None or not each.grad.any()] == []
    generator.eval(), discriminator.eval()
    z, same = torch.randn(1, 5).expand(2, -1), clip[:1].detach().expand(2, -1, -1, -1, -1)
    assert torch.equal(*generator(z, LABEL)) == (classes == 0)
    assert torch.equal(*discriminator(same, LABEL)) == (classes == 0)


def test_bfloat16_comes_out_as_float32() -> None:
    generator, discriminator = small()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        clip = generator(torch.randn(2, 5), LABEL)
        assert (clip.dtype, discriminator(clip, LABEL).dtype) == (torch.float32, torch.float32)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UserError, match="VGAN: resolution 24 is not supported; choose a power of two from 8 on"):
        small(resolution=24)
    with pytest.raises(UserError, match="VGAN: frames is 1: it must be at least 2"):
        small(frames=1)
    _, discriminator = small()
    with pytest.raises(UserError, match=r"takes 4 frames of 8x8, but is shown clips of 6 of 8x8: set its frames and"):
        discriminator(torch.zeros(2, 1, 6, 8, 8), LABEL)
