"""RRDBNet against a plain reading of its paper, and the names by which published weights fit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.networks.images.rrdb import DenseBlock, RRDBNet

LABEL = torch.zeros(2, dtype=torch.long)


def reference(state: dict[str, Tensor], source: Tensor, blocks: int, factors: tuple[int, int]) -> Tensor:
    """The network as a list of convolutions, in the order of their names."""
    tensors: Iterator[Tensor] = iter(state.values())

    def convolved(x: Tensor) -> Tensor:
        return F.conv2d(x, next(tensors), next(tensors), padding=1)

    def active(x: Tensor) -> Tensor:
        return torch.where(x > 0, x, 0.2 * x)

    first = x = convolved(source)
    for _ in range(blocks):
        outer = x
        for _ in range(3):
            maps = [x]
            for _ in range(4):
                maps.append(active(convolved(torch.cat(maps, dim=1))))
            x = convolved(torch.cat(maps, dim=1)) * 0.2 + x
        x = x * 0.2 + outer
    x = first + convolved(x)
    for factor in factors:
        x = active(convolved(x.repeat_interleave(factor, 2).repeat_interleave(factor, 3)))
    x = active(convolved(x))
    return convolved(x)


def places(source: Tensor, side: int) -> Tensor:
    """The pixels [C, side, side] of each place as its channels."""
    rows = [source[:, :, row::side, column::side] for row in range(side) for column in range(side)]
    return torch.stack(rows, dim=2).flatten(1, 2)


@pytest.mark.parametrize(("scale", "side", "factors"), [(1, 4, (2, 2)), (2, 2, (2, 2)), (3, 1, (3, 1)), (4, 1, (2, 2))])
def test_it_is_the_network_of_the_paper(scale: int, side: int, factors: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = RRDBNet(scale=scale, blocks=2, width=6, growth=4).double()
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0.0, 0.2)
    source = torch.randn(2, 3, 8, 12, dtype=torch.float64)
    expected = reference(network.state_dict(), places(source, side), 2, factors)
    torch.testing.assert_close(network(source, LABEL), expected)


def test_it_has_as_many_weights_as_that_of_esrgan() -> None:
    with torch.device("meta"):
        assert sum(each.numel() for each in RRDBNet().parameters()) == 16_697_987


def test_names_are_those_of_the_published_weights() -> None:
    with torch.device("meta"):
        names = [name for name, _ in RRDBNet(blocks=23).named_parameters()]
    dense = [f"body.{block}.rdb{rdb}.conv{place}" for block in range(23) for rdb in (1, 2, 3) for place in range(1, 6)]
    layers = ["conv_first", *dense, "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]
    assert names == [f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]


def test_dense_blocks_begin_with_a_tenth_of_kaimings_weights() -> None:
    torch.manual_seed(0)
    for layer in DenseBlock(64, 32).children():
        fan = layer.weight[0].numel()
        assert layer.weight.std().item() == pytest.approx(0.1 * (2 / fan) ** 0.5, rel=0.05)
        assert layer.bias.abs().max() == 0
