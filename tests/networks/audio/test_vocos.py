from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.networks.audio.vocos import FourierGenerator

LABEL = torch.zeros(2, dtype=torch.int64)


def small(**options: int) -> FourierGenerator:
    torch.manual_seed(0)
    return FourierGenerator(20, width=16, blocks=2, inner=24, size=64, hop=16, **options)


def mels(frames: int, channels: int = 1) -> Tensor:
    return torch.randn(2, 20 * channels, frames, generator=torch.Generator().manual_seed(1))


def test_it_has_as_many_parameters_as_the_published_one() -> None:
    """Vocos of 24 kHz: 13.5 million (arXiv 2306.00814, table 3), all of them counted from its layers."""
    layers = 512 * 100 * 7 + 512 + 2 * 512
    block = 512 * 7 + 512 + 2 * 512 + 512 * 1536 + 1536 + 1536 * 512 + 512 + 512
    head = 2 * 512 + 512 * 1026 + 1026
    count = sum(weight.numel() for weight in FourierGenerator().parameters())
    assert count == layers + 8 * block + head == 13_531_650


@pytest.mark.parametrize("channels", [1, 2])
def test_a_frame_becomes_as_many_samples_as_its_hop(channels: int) -> None:
    generator = small(channels=channels)
    assert generator(mels(9, channels), LABEL).shape == (2, channels, 144)
    assert generator.scale == 16
    assert generator.last_layer.shape == (channels * 2 * 33, 16)


def test_a_part_sounds_as_it_does_in_the_whole() -> None:
    generator, source = small(), mels(60)
    reach = generator.reach
    assert reach == 9 + 2  # of three convolutions of 7 frames, and of windows of four
    part = generator(source[..., 20:60], LABEL)[..., reach * 16 : -reach * 16]
    whole = generator(source, LABEL)[..., (20 + reach) * 16 : (60 - reach) * 16]
    torch.testing.assert_close(part, whole, atol=1e-6, rtol=1e-4)


def test_all_of_it_learns() -> None:
    generator = small()
    generator(mels(9), LABEL).square().sum().backward()
    assert all(weight.grad.isfinite().all() and weight.grad.any() for weight in generator.parameters())


def test_other_bands_are_refused() -> None:
    with pytest.raises(UserError, match="takes spectrograms of 20 bands, but is shown some of 40"):
        small()(mels(9, 2), LABEL)
