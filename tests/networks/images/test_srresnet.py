"""The generators of SRGAN and of BasicSR: which layers they have, and how these begin."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from ganlit.networks.images.srresnet import MSRResNet, SRResNet

LABEL = torch.zeros(2, dtype=torch.long)


def convolutions(network: nn.Module) -> list[tuple[int, int]]:
    """Kernel and maps of each."""
    return [(each.kernel_size[0], each.out_channels) for each in network.modules() if isinstance(each, nn.Conv2d)]


def test_srresnet_has_the_layers_of_figure_4() -> None:
    with torch.device("meta"):
        network = SRResNet()
    assert convolutions(network) == [(9, 64), *[(3, 64)] * 33, (3, 256), (3, 256), (9, 3)]
    kinds = [type(each) for each in network.modules()]
    assert (kinds.count(nn.BatchNorm2d), kinds.count(nn.PReLU), kinds.count(nn.PixelShuffle)) == (33, 19, 2)


def test_msrresnet_has_as_many_weights_as_that_of_basicsr() -> None:
    with torch.device("meta"):
        network = MSRResNet()
    assert sum(each.numel() for each in network.parameters()) == 1_517_571
    assert convolutions(network) == [*[(3, 64)] * 33, (3, 256), (3, 256), (3, 64), (3, 3)]


def test_the_body_stands_beside_its_input() -> None:
    network = SRResNet(blocks=2, width=4).eval()
    first, prelu, body, *rest = network.layers
    source = torch.randn(2, 3, 6, 6)
    x = prelu(first(source))
    found = x
    for block in body[:2]:
        found = found + block[4](block[3](block[2](block[1](block[0](found)))))
    x = x + body[3](body[2](found))
    torch.testing.assert_close(network(source, LABEL), nn.Sequential(*rest)(x))


def test_msrresnet_begins_as_nearly_the_bilinear_image() -> None:
    torch.manual_seed(0)
    network, source = MSRResNet(blocks=2, width=16), torch.rand(2, 3, 8, 8) * 2 - 1
    added = network(source, LABEL) - F.interpolate(source, scale_factor=4, mode="bilinear")
    assert 0 < added.abs().max() < 0.01
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            assert layer.bias.abs().max() == 0
