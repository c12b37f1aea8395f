"""DCGAN: shapes, initial weights, refusals."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganlit.errors import UserError
from ganlit.networks.images.dcgan import DCDiscriminator, DCGenerator


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("resolution", [8, 16, 32, 64])
def test_a_pair_of_any_power_of_two(resolution: int, channels: int) -> None:
    label = torch.zeros(2, dtype=torch.long)
    image = DCGenerator(resolution, channels, z_dim=10, width=4)(torch.randn(2, 10), label)
    assert image.shape == (2, channels, resolution, resolution)
    assert image.abs().max() <= 1
    assert DCDiscriminator(resolution, channels, width=4)(image, label).shape == (2,)


def test_weights_start_at_a_deviation_of_a_fiftieth() -> None:
    for net in (DCGenerator(32), DCDiscriminator(32)):
        for module in net.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.weight.numel() > 10_000:
                assert module.weight.std().item() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("resolution", [4, 20, 48])
def test_other_resolutions_are_refused(resolution: int) -> None:
    for network in (DCGenerator, DCDiscriminator):
        with pytest.raises(UserError, match=f"resolution {resolution}"):
            network(resolution)
