"""The generator of CycleGAN: its published sizes, its layers by hand, what it takes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.errors import UserError
from ganlit.networks.images.resnet import ResNetGenerator, Thinning

LABEL = torch.zeros(2, dtype=torch.long)


def small(**options: Any) -> ResNetGenerator:
    torch.manual_seed(0)
    return ResNetGenerator(**({"blocks": 2, "width": 4} | options))


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize(("blocks", "parameters"), [(9, 11_378_179), (6, 7_837_699)])
def test_as_many_weights_as_those_of_cyclegan(blocks: int, parameters: int, filtered: bool) -> None:
    with torch.device("meta"):
        network = ResNetGenerator(blocks=blocks, filtered=filtered)
    assert sum(each.numel() for each in network.parameters()) == parameters


def mirror(x: Tensor, layer: nn.Conv2d) -> Tensor:
    side = layer.kernel_size[0] // 2
    return F.conv2d(F.pad(x, (side,) * 4, mode="reflect"), layer.weight, layer.bias)


def test_it_is_that_of_the_appendix() -> None:
    """c7s1, d, d, R, u, u, c7s1 by hand."""
    net, source = small(blocks=1), torch.randn(2, 3, 16, 24)
    convolutions = [each for each in net.modules() if isinstance(each, nn.Conv2d | nn.ConvTranspose2d)]
    first, half, quarter, one, two, up, upper, last = convolutions
    x = F.instance_norm(mirror(source, first)).relu()
    for layer in (half, quarter):
        x = F.instance_norm(F.conv2d(x, layer.weight, layer.bias, 2, 1)).relu()
    x = x + F.instance_norm(mirror(F.instance_norm(mirror(x, one)).relu(), two))
    for layer in (up, upper):
        x = F.instance_norm(F.conv_transpose2d(x, layer.weight, layer.bias, 2, 1, output_padding=1)).relu()
    torch.testing.assert_close(net(source, LABEL), mirror(x, last).tanh())


def test_thinning_keeps_every_second_pixel_of_the_filtered_image() -> None:
    x = torch.randn(2, 3, 6, 8, dtype=torch.float64)
    taps = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)
    kernel = (torch.outer(taps, taps) / 16).expand(3, 1, 3, 3)
    expected = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), kernel, groups=3)[:, :, ::2, ::2]
    torch.testing.assert_close(Thinning()(x), expected)


def test_filtered_halvings_and_doublings_let_no_checkerboard_through() -> None:
    board = torch.ones(1, 1, 8, 8)
    board[:, :, ::2, 1::2] = board[:, :, 1::2, ::2] = -1
    assert Thinning()(board).abs().max() < 1e-7
    kinds = [type(layer) for layer in [*small(filtered=True).encoder, *small(filtered=True).decoder]]
    assert kinds.count(Thinning) == kinds.count(nn.Upsample) == 2
    assert nn.ConvTranspose2d not in kinds


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_every_weight_is_trained_on_images_of_any_fitting_shape(norm: str, filtered: bool) -> None:
    net = small(norm=norm, source_channels=1, filtered=filtered)
    made = net(torch.randn(2, 1, 8, 20), LABEL)
    assert made.shape == (2, 3, 8, 20)
    assert made.abs().max() <= 1
    made.square().sum().backward()
    assert [name for name, each in net.named_parameters() if each.grad is None] == []
    assert [each for each in net.parameters() if each.dim() > 1][-1] is net.last_layer
    assert (net.classes, net.scale, net.multiple) == (0, 1, 4)


def test_bfloat16_comes_out_as_float32_and_float64_as_it_is() -> None:
    image = torch.randn(2, 3, 8, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert small(filtered=True)(image, LABEL).dtype == torch.float32
    assert small(filtered=True).double()(image.double(), LABEL).dtype == torch.float64


@pytest.mark.parametrize("name", ["blocks", "width", "channels", "source_channels"])
def test_sizes_of_which_nothing_can_be_made_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"ResNetGenerator.{name} is 0"):
        small(**{name: 0})


@pytest.mark.parametrize(("height", "width"), [(16, 18), (10, 16), (4, 16), (1, 1)])
def test_images_of_other_sizes_are_refused(height: int, width: int) -> None:
    with pytest.raises(UserError, match=rf"multiples of 4, of 8 or more, but is shown some of {height}x{width}: bring"):
        small()(torch.zeros(2, 3, height, width), LABEL)
