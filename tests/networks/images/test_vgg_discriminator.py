"""The discriminator of SRGAN and ESRGAN: its size, its layers, what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganlit.errors import UserError
from ganlit.networks.images.vgg_discriminator import VGGDiscriminator

LABEL = torch.zeros(2, dtype=torch.long)


def test_it_has_as_many_weights_as_that_of_esrgan() -> None:
    with torch.device("meta"):
        network = VGGDiscriminator()
    assert sum(each.numel() for each in network.parameters()) == 14_499_401
    convolutions = [each for each in network.layers if isinstance(each, nn.Conv2d)]
    maps = [64, 64, 128, 128, 256, 256, 512, 512, 512, 512]
    assert [each.out_channels for each in convolutions] == maps
    assert [each.kernel_size[0] for each in convolutions] == [3, 4] * 5
    assert [each.bias is None for each in convolutions] == [False] + [True] * 9


@pytest.mark.parametrize("channels", [1, 3, 6])
@pytest.mark.parametrize(("resolution", "halvings"), [(8, 1), (28, 2), (32, 3), (96, 4)])
def test_an_image_has_a_logit_and_everything_learns(resolution: int, halvings: int, channels: int) -> None:
    torch.manual_seed(0)
    network = VGGDiscriminator(resolution, channels, width=4)
    assert sum(isinstance(each, nn.Conv2d) for each in network.layers) == 2 * halvings
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(torch.randn(2, channels, resolution, resolution), LABEL)
    assert logits.shape == (2,)
    assert logits.dtype == torch.float32
    logits.square().mean().backward()
    assert all(each.grad is not None for each in network.parameters())


@pytest.mark.parametrize("resolution", [-128, 7, 9, 100])
def test_other_resolutions_are_refused(resolution: int) -> None:
    with pytest.raises(UserError, match=f"resolution is {resolution}: it must be"):
        VGGDiscriminator(resolution)


@pytest.mark.parametrize("sides", [(16, 16), (32, 16), (16, 32), (64, 64)])
def test_images_of_another_size_are_refused(sides: tuple[int, int]) -> None:
    with pytest.raises(UserError, match=f"resolution is 32, but it is shown images of {sides[0]}x{sides[1]}: set"):
        VGGDiscriminator(32, width=4)(torch.zeros(2, 3, *sides), LABEL)
