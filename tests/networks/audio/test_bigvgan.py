"""BigVGAN's generator: its sizes, the state that its authors publish, and that it looks no farther than it says."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from fields import field_of
from torch import Tensor
from torch.nn import functional as F

from ganlit.networks.audio.activations import low_pass
from ganlit.networks.audio.bigvgan import BigVGenerator
from ganlit.networks.audio.convolutions import folded

LABEL = torch.zeros(2, dtype=torch.long)
LARGE: dict[str, Any] = {"width": 1536, "strides": [4, 4, 2, 2, 2, 2]}
SMALL: dict[str, Any] = {
    "bands": 3,
    "width": 8,
    "strides": [4, 2],
    "kernels": [3, 5],
    "dilations": [[1, 3], [1, 2]],
}


def small(**options: Any) -> BigVGenerator:
    torch.manual_seed(0)
    network = BigVGenerator(**(SMALL | options))
    for name, parameter in network.named_parameters():
        if ".act." in name:
            parameter.data.uniform_(-0.5, 0.5)
    return network


@pytest.mark.parametrize(("options", "parameters"), [({}, 14_015_041), (LARGE, 112_414_513)], ids=["base", "large"])
def test_it_has_as_many_weights_as_that_of_the_paper(options: dict[str, Any], parameters: int) -> None:
    """14.01 M and 112.4 M, table 1, at 24 kHz and 100 bands."""
    with torch.device("meta"):
        network = BigVGenerator(**options)
    norms = sum(each.numel() for name, each in network.named_parameters() if name.endswith(".original0"))
    assert sum(each.numel() for each in network.parameters()) - norms == parameters
    assert network.scale == 256


def authors(state: dict[str, Tensor], mel: Tensor) -> Tensor:
    """What the authors' code makes of spectrograms with weights without norms."""
    kernel = low_pass(0.25, 0.3, 12)[None, None].to(mel)

    def act(name: str, x: Tensor) -> Tensor:
        channels = x.shape[1]
        x = F.pad(x, (5, 5), mode="replicate")
        x = 2 * F.conv_transpose1d(x, kernel.expand(channels, -1, -1), stride=2, groups=channels)[..., 15:-15]
        alpha = state[f"{name}.act.alpha"].exp()[None, :, None]
        beta = state.get(f"{name}.act.beta", state[f"{name}.act.alpha"]).exp()[None, :, None]
        x = x + (1.0 / (beta + 1e-9)) * torch.sin(x * alpha).pow(2)
        return F.conv1d(F.pad(x, (5, 6), mode="replicate"), kernel.expand(channels, -1, -1), stride=2, groups=channels)

    def convolved(name: str, x: Tensor, dilation: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        return F.conv1d(
            x, weight, state[f"{name}.bias"], padding=dilation * (weight.shape[2] - 1) // 2, dilation=dilation
        )

    x = convolved("conv_pre", mel)
    for place, stride in enumerate(SMALL["strides"]):
        up = f"ups.{place}.0"
        x = F.conv_transpose1d(x, state[f"{up}.weight"], state[f"{up}.bias"], stride=stride, padding=stride // 2)
        total = torch.zeros_like(x)
        for number, dilations in enumerate(SMALL["dilations"]):
            y, block = x, f"resblocks.{place * len(SMALL['kernels']) + number}"
            for layer, dilation in enumerate(dilations):
                inner = convolved(f"{block}.convs1.{layer}", act(f"{block}.activations.{2 * layer}", y), dilation)
                y = convolved(f"{block}.convs2.{layer}", act(f"{block}.activations.{2 * layer + 1}", inner)) + y
            total = total + y
        x = total / len(SMALL["kernels"])
    return convolved("conv_post", act("activation_post", x)).tanh()


@pytest.mark.parametrize("height", [True, False], ids=["snakebeta", "snake"])
def test_a_published_state_loads_and_gives_what_the_authors_code_gives(height: bool) -> None:
    trained, network, mel = (
        folded(small(height=height)),
        folded(BigVGenerator(**SMALL, height=height)),
        torch.randn(2, 3, 5),
    )
    state = trained.state_dict()
    expected = authors(state, mel)
    filters = {
        f"{name.removesuffix('.act.alpha')}.{place}": torch.zeros(1, 1, 12)
        for name in state
        if name.endswith(".act.alpha")
        for place in ("upsample.filter", "downsample.lowpass.filter")
    }
    network.load_state_dict(state | filters)
    torch.testing.assert_close(network(mel, LABEL), expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(small(height=not height)(mel, LABEL), expected, atol=1e-3)


def test_every_weight_is_trained() -> None:
    network = small(channels=2)
    sound = network(torch.randn(2, 6, 5), LABEL)
    assert sound.shape == (2, 2, 40)
    sound.square().mean().backward()
    assert [name for name, each in network.named_parameters() if each.grad is None or not each.grad.any()] == []
    assert any(each is network.last_layer for each in network.parameters())


@pytest.mark.parametrize(("options", "reach"), [({}, 16), ({"strides": [8, 3]}, 9)])
def test_a_sample_depends_on_no_other_frames_than_it_says(options: dict[str, Any], reach: int) -> None:
    network = small(**options).double()
    before, after = field_of(lambda mel: network(mel, LABEL[:1]), torch.randn(1, 3, 80).double())
    assert max(before, after) == network.reach == reach


def test_the_published_ones_depend_on_as_many_frames_as_is_told() -> None:
    with torch.device("meta"):
        assert [BigVGenerator(**(options | {"width": 64})).reach for options in ({}, LARGE)] == [18, 38]


def test_a_part_is_what_the_whole_is_away_from_its_ends() -> None:
    network, mel = small().double(), torch.randn(1, 3, 70).double()
    whole = network(mel, LABEL[:1])
    inside = slice(network.reach * 8, (40 - network.reach) * 8)
    part = network(mel[..., 9:49], LABEL[:1])
    torch.testing.assert_close(part[..., inside], whole[..., 9 * 8 :][..., inside], rtol=0, atol=1e-12)


def test_bfloat16_comes_out_as_float32() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert small()(torch.randn(2, 3, 4), LABEL).dtype == torch.float32
