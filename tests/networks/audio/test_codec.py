"""A codec of sound: DAC's size, what the house asks of an autoencoder, bitrates, and how far it looks."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import Any

import pytest
import torch
from fields import field_of
from torch import Tensor
from torch.nn import functional as F

from ganlit.errors import UserError
from ganlit.networks.audio.codec import Codec
from ganlit.networks.audio.convolutions import folded
from ganlit.networks.residual import ResidualQuantizer

LABEL = torch.zeros(2, dtype=torch.long)
SMALL: dict[str, Any] = {"rate": 16000, "width": 4, "decoder_width": 16, "strides": [2, 5]}


def quantizer(levels: int = 3, **options: Any) -> ResidualQuantizer:
    return ResidualQuantizer(**({"levels": levels, "codes": 8, "dim": 6, "code_dim": 4, "cosine": True} | options))


def small(**options: Any) -> Codec:
    torch.manual_seed(0)
    network = Codec(quantizer(), **(SMALL | options))
    network(torch.randn(4, options.get("channels", 1), 200), LABEL)  # codebooks begin
    return network


def test_it_has_as_many_weights_as_that_of_the_paper() -> None:
    with torch.device("meta"):
        network = Codec(quantizer(9, codes=1024, dim=1024, code_dim=8))
    assert sum(each.numel() for each in network.parameters()) == 76_651_890
    assert network.multiple == 512
    assert round(network.bitrate) == 7752


def authors(state: dict[str, Tensor], sound: Tensor, way: str, strides: list[int]) -> Tensor:
    """What DAC's code makes on one way with weights without norms, layer by layer."""
    names = iter(sorted({int(name.split(".")[1]) for name in state if name.startswith(way)}))

    def snake(name: str, x: Tensor) -> Tensor:
        alpha = state[f"{name}.alpha"][None, :, None]
        return x + (alpha + 1e-9).reciprocal() * torch.sin(alpha * x).pow(2)

    def convolved(name: str, x: Tensor, **options: int) -> Tensor:
        return F.conv1d(x, state[f"{name}.weight"], state[f"{name}.bias"], **options)

    def residual(x: Tensor, dilation: int) -> Tensor:
        name = f"{way}.{next(names)}"
        y = convolved(f"{name}.1", snake(f"{name}.0", x), dilation=dilation, padding=(7 - 1) * dilation // 2)
        return x + convolved(f"{name}.3", snake(f"{name}.2", y))

    x = convolved(f"{way}.{next(names)}", sound, padding=3)
    for stride in strides:
        if way == "encoder":
            for dilation in (1, 3, 9):
                x = residual(x, dilation)
            x = snake(f"encoder.{next(names)}", x)
            x = convolved(f"encoder.{next(names)}", x, stride=stride, padding=math.ceil(stride / 2))
        else:
            x, name = snake(f"decoder.{next(names)}", x), f"decoder.{next(names)}"
            ends = {"stride": stride, "padding": math.ceil(stride / 2), "output_padding": stride % 2}
            x = F.conv_transpose1d(x, state[f"{name}.weight"], state[f"{name}.bias"], **ends)
            for dilation in (1, 3, 9):
                x = residual(x, dilation)
    x = snake(f"{way}.{next(names)}", x)
    return convolved(f"{way}.{next(names)}", x, padding=1 if way == "encoder" else 3)


def test_both_ways_are_those_of_dac() -> None:
    network, sound = small().eval(), torch.randn(2, 1, 80)
    state = folded(network).state_dict()
    torch.testing.assert_close(network.encoder(sound), authors(state, sound, "encoder", [2, 5]))
    latent = torch.randn(2, 6, 8)
    torch.testing.assert_close(network.decode(latent, LABEL), authors(state, latent, "decoder", [5, 2]).tanh())


@pytest.mark.parametrize("channels", [1, 2])
def test_it_encodes_and_decodes(channels: int) -> None:
    network, sound = small(channels=channels).eval(), torch.randn(2, channels, 160)
    output, side = network(sound, LABEL)
    latent, encoded = network.encode(sound, LABEL)
    assert output.shape == sound.shape
    assert latent.shape == (2, 6, 16)
    assert side["codes"].shape == (2, 3, 16)
    assert side["codes"].max() < network.codes == 8
    assert torch.equal(encoded["codes"], side["codes"])
    assert torch.equal(network.decode(latent, LABEL), output)
    assert torch.equal(network.embedded(side["codes"]), latent)
    assert (network.classes, network.multiple) == (0, 10)


def test_fewer_levels_are_fewer_bits() -> None:
    network, sound = small().eval(), torch.randn(2, 1, 160)
    whole = network(sound, LABEL)
    assert network.bitrate == 16000 / 10 * 3 * 3
    network.levels = 1
    assert network.bitrate == 16000 / 10 * 3
    coarse = network(sound, LABEL)
    assert torch.equal(coarse.side["codes"], whole.side["codes"][:, :1])
    assert not torch.allclose(coarse.output, whole.output)
    expected = network.decode(network.embedded(whole.side["codes"][:, :1]), LABEL)
    assert torch.equal(coarse.output, expected)
    with pytest.raises(UserError, match="levels is 4: it must be at least 1 and at most 3"):
        network.levels = 4
    assert deepcopy(network).levels == 1


def test_every_weight_is_trained_and_the_last_layer_is_the_last_convolution() -> None:
    network = small()
    output, side = network(torch.randn(2, 1, 100), LABEL)
    (output.square().mean() + side["quantized"].square().sum(dim=-1).sqrt().mean()).backward()
    assert [name for name, each in network.named_parameters() if each.grad is None or not each.grad.any()] == []
    assert any(each is network.last_layer for each in network.parameters())
    assert network.last_layer.shape == (1, 4, 7)


def test_at_first_latents_follow_the_sound() -> None:
    """Soft tones of several pitches have latents in several directions, of which codes are made."""
    torch.manual_seed(0)
    network = Codec(quantizer(dim=16), **(SMALL | {"width": 8, "strides": [4, 4, 5]}))
    pitches = torch.tensor([100, 200, 300, 400, 800, 1600, 3200, 6000])
    tones = 0.1 * (2 * math.pi * pitches[:, None] * torch.arange(800) / 16000).sin()
    latent = network.encoder(tones[:, None]).movedim(1, -1).flatten(0, 1)
    assert F.normalize(latent, dim=1).mean(dim=0).norm() < 0.5  # 0.9 and more with torch's biases


def test_a_sample_depends_on_no_other_samples_than_it_says() -> None:
    network = small().double()
    before, after = field_of(
        lambda sound: network.decode(network.encoder(sound), LABEL[:1]), torch.randn(1, 1, 1600).double()
    )
    assert 0.9 * network.reach < max(before, after) <= network.reach
    with torch.device("meta"):
        assert Codec(quantizer(1), width=1, decoder_width=16).reach == 9364


def test_a_part_is_what_the_whole_is_away_from_its_ends() -> None:
    network, sound = small().double().eval(), torch.randn(1, 1, 1200).double()
    whole, part = network(sound, LABEL[:1]).output, network(sound[..., 90:990], LABEL[:1]).output
    inside = slice(network.reach, 900 - network.reach)
    assert network.reach < 400
    torch.testing.assert_close(part[..., inside], whole[..., 90:][..., inside], rtol=0, atol=1e-12)


def test_bfloat16_comes_out_as_float32_and_its_codebook_is_exact() -> None:
    network = small()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output, side = network(torch.randn(2, 1, 100), LABEL)
    assert {output.dtype, side["latent"].dtype} == {torch.float32}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decoder_width": 18}, r"Codec\.decoder_width is 18, which 2 strides cannot halve: set it to a multiple of 4"),
        ({"strides": [2, 1]}, r"Codec\.strides is 1"),
        ({"strides": []}, r"Codec\.strides is 0"),
        ({"rate": 0}, r"Codec\.rate is 0"),
        ({"width": 0}, r"Codec\.width is 0"),
    ],
)
def test_what_means_nothing_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Codec(quantizer(), **(SMALL | options))


@pytest.mark.parametrize("samples", [105, 0])
def test_sounds_that_it_cannot_shorten_are_refused(samples: int) -> None:
    with pytest.raises(UserError, match=f"whose samples are multiples of 10, but is shown some of {samples}"):
        small()(torch.zeros(2, 1, samples), LABEL)
