"""The generator of pix2pix: its published sizes, what it joins, when it draws, what it takes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.errors import UserError
from ganlit.networks.images.unet import LastingDropout, UNet

LABEL = torch.zeros(2, dtype=torch.long)


def small(**options: Any) -> UNet:
    torch.manual_seed(0)
    return UNet(**({"depth": 3, "width": 4} | options))


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, 54_413_955),
        ({"source_channels": 1, "channels": 1}, 54_407_809),
        ({"source_channels": 1, "channels": 1, "depth": 6}, 29_237_889),
    ],
    ids=["256, colour", "256, grey", "64, grey"],
)
def test_as_many_weights_as_those_of_pix2pix(options: dict[str, Any], parameters: int) -> None:
    with torch.device("meta"):
        assert sum(each.numel() for each in UNet(**options).parameters()) == parameters


def test_the_network_of_the_paper_sees_all_of_256_pixels_from_one_place() -> None:
    with torch.device("meta"):
        network, x, maps = UNet(), torch.zeros(2, 3, 256, 256), []
        for layer in network.encoder:
            x = layer(x)
            maps.append(tuple(x.shape[1:]))
    assert maps == [(64, 128, 128), (128, 64, 64), (256, 32, 32), *((512, side, side) for side in (16, 8, 4, 2, 1))]
    noisy = [any(isinstance(each, LastingDropout) for each in layer) for layer in network.decoder]
    assert noisy == [True] * 3 + [False] * 5  # CD512-CD1024-CD1024-C1024-C1024-C512-C256-C128


def test_it_is_that_of_the_figure() -> None:
    """Depth 3 by hand: what has one size is joined, and only what lies between first and last is normalised."""
    net, x = small(norm="instance", dropout="none"), torch.randn(2, 3, 16, 24)
    down = [next(each for each in layer if isinstance(each, nn.Conv2d)) for layer in net.encoder]
    up = [layer[1] for layer in net.decoder]
    first = F.conv2d(x, down[0].weight, down[0].bias, 2, 1)
    second = F.instance_norm(F.conv2d(F.leaky_relu(first, 0.2), down[1].weight, down[1].bias, 2, 1))
    third = F.conv2d(F.leaky_relu(second, 0.2), down[2].weight, down[2].bias, 2, 1)
    inner = F.instance_norm(F.conv_transpose2d(third.relu(), up[0].weight, up[0].bias, 2, 1))
    joined = torch.cat([second, inner], dim=1).relu()
    outer = F.instance_norm(F.conv_transpose2d(joined, up[1].weight, up[1].bias, 2, 1))
    joined = torch.cat([first, outer], dim=1).relu()
    expected = F.conv_transpose2d(joined, up[2].weight, up[2].bias, 2, 1).tanh()
    torch.testing.assert_close(net(x, LABEL), expected)


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_every_weight_is_trained_on_images_of_any_fitting_shape(norm: str, depth: int) -> None:
    net = small(norm=norm, depth=depth, source_channels=2, channels=1)
    image = torch.randn(2, 2, 32, 64)
    made = net(image, LABEL)
    assert made.shape == (2, 1, 32, 64)
    assert made.abs().max() <= 1
    made.square().sum().backward()
    assert [name for name, each in net.named_parameters() if each.grad is None] == []
    assert (net.classes, net.scale, net.multiple) == (0, 1, 1 << depth)


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_the_last_layer_makes_the_image(norm: str) -> None:
    net = small(norm=norm)
    net.last_layer.data.zero_()
    assert net(torch.randn(2, 3, 8, 8), LABEL).abs().max() == 0
    assert [each for each in net.parameters() if each.dim() > 1][-1] is net.last_layer


def drawn(net: UNet, image: Tensor, seed: int) -> Tensor:
    torch.manual_seed(seed)
    return net(image, LABEL)


@pytest.mark.parametrize(
    ("dropout", "training", "draws"),
    [
        ("always", True, True),
        ("always", False, True),
        ("training", True, True),
        ("training", False, False),
        ("none", True, False),
        ("none", False, False),
    ],
)
def test_dropout_is_there_when_it_is_wanted_and_follows_the_seed(dropout: str, training: bool, draws: bool) -> None:
    net, image = small(dropout=dropout).train(training), torch.randn(2, 3, 16, 16)
    one, again, other = (drawn(net, image, seed) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert torch.equal(one, other) is not draws


def test_half_the_maps_are_dropped_and_the_rest_doubled() -> None:
    found = LastingDropout(0.5).eval()(torch.ones(10_000))
    assert set(found.tolist()) == {0.0, 2.0}
    assert found.mean().item() == pytest.approx(1, abs=0.05)


def test_weights_start_at_a_deviation_of_a_fiftieth() -> None:
    for module in small(width=32).modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.weight.numel() > 10_000:
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.05)
        if isinstance(module, nn.BatchNorm2d):
            assert module.weight.mean().item() == pytest.approx(1, abs=0.02)
            assert 0 < module.weight.std() < 0.05
            assert module.bias.abs().max() == 0


def test_bfloat16_comes_out_as_float32_and_float64_as_it_is() -> None:
    image = torch.randn(2, 3, 8, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert small()(image, LABEL).dtype == torch.float32
    assert small().double()(image.double(), LABEL).dtype == torch.float64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 0}, "UNet.depth is 0"),
        ({"depth": 17}, "UNet.depth is 17"),
        ({"width": 0}, "UNet.width is 0"),
        ({"channels": 0}, "UNet.channels is 0"),
        ({"source_channels": 0}, "UNet.source_channels is 0"),
    ],
)
def test_sizes_of_which_nothing_can_be_made_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        small(**options)


@pytest.mark.parametrize(("height", "width"), [(16, 20), (12, 16), (4, 8), (0, 8)])
def test_images_that_cannot_be_halved_are_refused(height: int, width: int) -> None:
    with pytest.raises(UserError, match=rf"UNet takes .* multiples of 8, but .* {height}x{width}: bring .* less depth"):
        small()(torch.zeros(2, 3, height, width), LABEL)


def test_images_of_other_channels_are_refused() -> None:
    with pytest.raises(UserError, match="UNet takes images whose channels are 3, but is shown some of 1: bring"):
        small()(torch.zeros(2, 1, 8, 8), LABEL)
