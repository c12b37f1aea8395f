"""The generator for maps of labels: its layers by hand, its sizes, and what all ranks agree on."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.ema import EMA
from ganlit.errors import UserError
from ganlit.networks.images.spade import ModulatedBlock, Modulation, SPADEGenerator

LABEL = torch.zeros(2, dtype=torch.long)


def small(**options: Any) -> SPADEGenerator:
    torch.manual_seed(0)
    return SPADEGenerator(**({"source_channels": 5, "depth": 2, "width": 4, "hidden": 8} | options))


def labels(height: int = 8, width: int = 12, kinds: int = 5) -> Tensor:
    """One-hot maps."""
    stream = torch.Generator().manual_seed(0)
    return F.one_hot(torch.randint(kinds, (2, height, width), generator=stream), kinds).permute(0, 3, 1, 2).float()


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_modulation_is_that_of_equation_1(norm: str) -> None:
    torch.manual_seed(0)
    layer, x, source = Modulation(6, 5, 8, norm).double(), torch.randn(2, 6, 4, 6).double(), labels().double()
    over = (0, 2, 3) if norm == "batch" else (2, 3)
    mean, variance = x.mean(over, keepdim=True), x.var(over, unbiased=False, keepdim=True)
    seen = source[:, :, ::2, ::2]  # the map in the size of x, without mixing labels
    first, second = layer.reader[0], layer.reader[2]
    read = F.conv2d(F.conv2d(seen, first.weight, first.bias, padding=1).relu(), second.weight, second.bias, padding=1)
    gamma, beta = 1 + read[:, :6], read[:, 6:]
    torch.testing.assert_close(layer(x, source), gamma * (x - mean) / (variance + 1e-5).sqrt() + beta)


@pytest.mark.parametrize("outputs", [6, 3])
def test_a_block_is_that_of_figure_4(outputs: int) -> None:
    torch.manual_seed(0)
    block = ModulatedBlock(6, outputs, lambda maps: Modulation(maps, 5, 8, "instance")).eval()
    x, source = torch.randn(2, 6, 8, 12), labels()

    def layer(part: nn.Module, x: Tensor) -> Tensor:
        convolution = part.convolution
        rows = convolution.parametrizations.weight.original.flatten(1)
        weight = convolution.parametrizations.weight.original / torch.linalg.matrix_norm(rows, 2)
        return F.conv2d(part.modulation(x, source).relu(), weight, convolution.bias, padding=1)

    for _ in range(30):  # singular values are found by and by
        block.train()(x, source)
    beside = x if outputs == 6 else layer(block.skip, x)
    expected = beside + layer(block.second, layer(block.first, x))
    torch.testing.assert_close(block.eval()(x, source), expected, atol=1e-4, rtol=1e-3)


def test_the_maps_are_those_of_the_paper() -> None:
    with torch.device("meta"):
        network = SPADEGenerator(36)
    assert [block.second.convolution.out_channels for block in network.blocks] == [1024] * 3 + [512, 256, 128, 64]
    assert [block.skip is None for block in network.blocks] == [True] * 3 + [False] * 4
    assert network.multiple == 64
    assert network.blocks[0].first.modulation.reader[0].out_channels == 128


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("depth", [1, 2])
def test_every_weight_is_trained_on_maps_of_any_fitting_shape(norm: str, depth: int) -> None:
    net = small(norm=norm, depth=depth, channels=1)
    made = net(labels(8, 16), LABEL)
    assert made.shape == (2, 1, 8, 16)
    assert made.abs().max() <= 1
    made.square().sum().backward()
    assert [name for name, each in net.named_parameters() if each.grad is None] == []
    assert (net.classes, net.scale, net.multiple) == (0, 1, 1 << depth)
    net.last_layer.data.zero_()
    assert net(labels(8, 16), LABEL).abs().max() == 0


def test_the_answer_to_a_label_is_where_it_stands() -> None:
    net, source = small(depth=1, norm="none").eval(), labels(16, 16)
    moved = source.clone()
    moved[:, :, 0, 0] = moved[:, :, 0, 0].roll(1, dims=1)
    change = (net(source, LABEL) - net(moved, LABEL)).abs().amax(dim=(0, 1))
    assert change[0, 0] > 0
    assert change[0, 0] > 10 * change[8:, 8:].max()


def test_singular_values_follow_the_weights_alone() -> None:
    """So that all ranks, which see other items, hold the same."""
    one, other = small(), small()
    stream = torch.Generator().manual_seed(1)
    for _ in range(3):
        one(labels(), LABEL)
        other(torch.randn(2, 5, 8, 12, generator=stream), LABEL)
    found = [dict(net.named_buffers()) for net in (one, other)]
    names = [name for name in found[0] if name.endswith(("._u", "._v"))]
    assert len(names) == 2 * sum("convolution.bias" in name for name, _ in one.named_parameters())
    assert all(torch.equal(found[0][name], found[1][name]) for name in names)
    before = one.blocks[0].first.convolution.parametrizations.weight[0]._u.clone()
    one.eval()(labels(), LABEL)
    assert torch.equal(before, one.blocks[0].first.convolution.parametrizations.weight[0]._u)


def test_the_average_is_a_network_of_its_own() -> None:
    net = small().eval()
    average = EMA(net)
    before = net(labels(), LABEL)
    assert torch.equal(average(labels(), LABEL), before)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1)
    assert torch.equal(average(labels(), LABEL), before)
    assert not torch.equal(net(labels(), LABEL), before)


def test_bfloat16_comes_out_as_float32_and_float64_as_it_is() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert small()(labels(), LABEL).dtype == torch.float32
    assert small().double()(labels().double(), LABEL).dtype == torch.float64


@pytest.mark.parametrize("name", ["depth", "width", "hidden", "channels", "source_channels"])
def test_sizes_of_which_nothing_can_be_made_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"SPADEGenerator.{name} is 0"):
        small(**{name: 0})


@pytest.mark.parametrize(("height", "width"), [(8, 10), (12, 4), (4, 4)])
def test_maps_of_other_sizes_are_refused(height: int, width: int) -> None:
    with pytest.raises(UserError, match=rf"multiples of 4, of 8 or more, .* {height}x{width}: bring .* less depth"):
        small()(torch.zeros(2, 5, height, width), LABEL)
