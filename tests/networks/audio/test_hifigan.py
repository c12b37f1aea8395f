"""HiFi-GAN's generator: its sizes, the state that its authors publish, and that it looks no farther than it says."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from fields import field_of
from torch import Tensor
from torch.nn import functional as F

from ganlit.errors import UserError
from ganlit.networks.audio.convolutions import folded
from ganlit.networks.audio.hifigan import HiFiGenerator

LABEL = torch.zeros(2, dtype=torch.long)
V2: dict[str, Any] = {"width": 128}
V3: dict[str, Any] = {
    "width": 256,
    "strides": [8, 8, 4],
    "kernels": [3, 5, 7],
    "dilations": [[1, 2], [2, 6], [3, 12]],
    "paired": False,
}


def small(**options: Any) -> HiFiGenerator:
    torch.manual_seed(0)
    return HiFiGenerator(**({"bands": 3, "width": 16} | options))


def shapes_of(options: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Of the weights in the authors' code, by the names of their layers."""
    sizes = {"bands": 80, "strides": [8, 8, 2, 2], "kernels": [3, 7, 11], "dilations": [[1, 3, 5]] * 3} | options
    width, paired = sizes.get("width", 512), sizes.get("paired", True)
    shapes = {"conv_pre": (width, sizes["bands"], 7)}
    for place, stride in enumerate(sizes["strides"]):
        shapes[f"ups.{place}"] = (width >> place, width >> place + 1, 2 * stride)
        for number, (kernel, dilations) in enumerate(zip(sizes["kernels"], sizes["dilations"], strict=True)):
            block = f"resblocks.{place * len(sizes['kernels']) + number}"
            for row in ("convs1", "convs2") if paired else ("convs",):
                for layer in range(len(dilations)):
                    shapes[f"{block}.{row}.{layer}"] = (width >> place + 1, width >> place + 1, kernel)
    shapes["conv_post"] = (1, width >> len(sizes["strides"]), 7)
    return shapes


def published(options: dict[str, Any]) -> dict[str, Tensor]:
    """A state as the authors' code writes it, of random numbers."""
    stream = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in shapes_of(options).items():
        state[f"{name}.weight_g"] = torch.rand(shape[0], 1, 1, generator=stream) + 0.5
        state[f"{name}.weight_v"] = torch.randn(shape, generator=stream)
        state[f"{name}.bias"] = 0.1 * torch.randn(shape[1 if "ups" in name else 0], generator=stream)
    return state


def authors(state: dict[str, Tensor], mel: Tensor, options: dict[str, Any]) -> Tensor:
    """What the authors' code makes of spectrograms with such a state."""
    sizes = {"strides": [8, 8, 2, 2], "kernels": [3, 7, 11], "dilations": [[1, 3, 5]] * 3} | options

    def weights(name: str) -> tuple[Tensor, Tensor]:
        g, v = state[f"{name}.weight_g"], state[f"{name}.weight_v"]
        return g * v / v.flatten(1).norm(dim=1)[:, None, None], state[f"{name}.bias"]

    def convolved(name: str, x: Tensor, kernel: int, dilation: int = 1) -> Tensor:
        return F.conv1d(x, *weights(name), padding=dilation * (kernel - 1) // 2, dilation=dilation)

    x = convolved("conv_pre", mel, 7)
    for place, stride in enumerate(sizes["strides"]):
        x = F.conv_transpose1d(F.leaky_relu(x, 0.1), *weights(f"ups.{place}"), stride=stride, padding=stride // 2)
        total = torch.zeros_like(x)
        for number, (kernel, dilations) in enumerate(zip(sizes["kernels"], sizes["dilations"], strict=True)):
            y, block = x, f"resblocks.{place * len(sizes['kernels']) + number}"
            for layer, dilation in enumerate(dilations):
                if sizes.get("paired", True):
                    inner = convolved(f"{block}.convs1.{layer}", F.leaky_relu(y, 0.1), kernel, dilation)
                    y = convolved(f"{block}.convs2.{layer}", F.leaky_relu(inner, 0.1), kernel) + y
                else:
                    y = convolved(f"{block}.convs.{layer}", F.leaky_relu(y, 0.1), kernel, dilation) + y
            total = total + y
        x = total / len(sizes["kernels"])
    return convolved("conv_post", F.leaky_relu(x), 7).tanh()


@pytest.mark.parametrize(
    ("options", "parameters"), [({}, 13_926_017), (V2, 925_985), (V3, 1_462_273)], ids=["V1", "V2", "V3"]
)
def test_its_weights_are_those_of_the_paper(options: dict[str, Any], parameters: int) -> None:
    network = HiFiGenerator(**options)
    state = folded(network).state_dict()
    assert sum(each.numel() for each in state.values()) == parameters
    assert {name: each.shape for name, each in state.items() if name.endswith(".weight")} == {
        f"{name}.weight": shape for name, shape in shapes_of(options).items()
    }
    assert (network.scale, network.multiple, network.classes) == (256, 1, 0)


@pytest.mark.parametrize("options", [{"width": 16, "strides": [8, 4]}, V3 | {"width": 16}], ids=["paired", "single"])
def test_a_published_state_loads_and_gives_what_the_authors_code_gives(options: dict[str, Any]) -> None:
    network, state, mel = HiFiGenerator(**options), published(options), torch.randn(2, 80, 3)
    expected = authors(state, mel, options)
    network.load_state_dict(dict(state))
    torch.testing.assert_close(network(mel, LABEL), expected, atol=1e-4, rtol=1e-4)
    plain = folded(network)
    torch.testing.assert_close(plain(mel, LABEL), expected, atol=1e-4, rtol=1e-4)
    assert not any("parametrizations" in name for name in plain.state_dict())
    assert expected.std() > 0.01


@pytest.mark.parametrize("options", [{}, {"strides": [3, 2]}, V3 | {"width": 16}], ids=["paired", "odd", "single"])
def test_every_weight_is_trained_and_the_last_layer_is_the_last_convolution(options: dict[str, Any]) -> None:
    network = small(**options, channels=2)
    sound = network(torch.randn(2, 6, 5), LABEL)
    assert sound.shape == (2, 2, 5 * network.scale)
    sound.square().mean().backward()
    assert [name for name, each in network.named_parameters() if each.grad is None or not each.grad.any()] == []
    plain = folded(network)
    assert any(each is network.last_layer for each in network.parameters())
    assert plain.last_layer is plain.conv_post.weight
    assert plain.last_layer.shape == network.last_layer.shape


@pytest.mark.parametrize(("options", "reach"), [({}, 13), (V3 | {"width": 8}, 11), ({"strides": [3, 2]}, 35)])
def test_a_sample_depends_on_no_other_frames_than_it_says(options: dict[str, Any], reach: int) -> None:
    network = small(**options).double()
    assert network.reach == reach
    before, after = field_of(lambda mel: network(mel, LABEL[:1]), torch.randn(1, 3, 2 * reach + 20).double())
    assert max(before, after) == reach


@pytest.mark.parametrize("options", [{"width": 32}, V3 | {"width": 32}], ids=["paired", "single"])
def test_a_part_is_what_the_whole_is_away_from_its_ends(options: dict[str, Any]) -> None:
    network, mel = small(**options).double(), torch.randn(1, 3, 60).double()
    whole = network(mel, LABEL[:1])
    inside = slice(network.reach * network.scale, (34 - network.reach) * network.scale)
    part = network(mel[..., 9:43], LABEL[:1])
    torch.testing.assert_close(part[..., inside], whole[..., 9 * network.scale :][..., inside], rtol=0, atol=1e-12)


def test_bfloat16_comes_out_as_float32_and_float64_as_it_is() -> None:
    mel = torch.randn(2, 3, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert small()(mel, LABEL).dtype == torch.float32
    assert small().double()(mel.double(), LABEL).dtype == torch.float64


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 24}, r"HiFiGenerator\.width is 24, which 4 stages cannot halve: set it to a multiple of 16"),
        ({"strides": []}, r"HiFiGenerator\.strides is empty"),
        ({"strides": [1, 8]}, r"HiFiGenerator\.strides is 1: it must be at least 2"),
        ({"kernels": [3, 4, 5]}, r"HiFiGenerator\.kernels has 4: it must be odd"),
        ({"kernels": [3]}, r"kernels are of 1 blocks and dilations of 3"),
        ({"dilations": [[1], [0], [1]]}, r"HiFiGenerator\.dilations is 0"),
        ({"bands": 0}, r"HiFiGenerator\.bands is 0"),
    ],
)
def test_what_means_nothing_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        small(**options)


def test_spectrograms_of_other_bands_are_refused() -> None:
    with pytest.raises(UserError, match="takes spectrograms of 3 bands, but is shown some of 4: set bands"):
        small()(torch.zeros(2, 4, 5), LABEL)
