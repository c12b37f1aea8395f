"""Discriminators of spectra: those of UnivNet and of DAC, by what their papers' code does."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ganlit.errors import UserError
from ganlit.networks.audio.convolutions import folded
from ganlit.networks.audio.multiresolution import MultiresolutionDiscriminator

LABEL = torch.zeros(2, dtype=torch.long)
EDGES = [0.0, 0.1, 0.25, 0.5, 0.75, 1.0]
DAC: dict[str, Any] = {
    "resolutions": [[256, 64, 256], [128, 32, 128]],
    "phases": True,
    "edges": EDGES,
    "width": 4,
}
UNIVNET: dict[str, Any] = {"resolutions": [[128, 30, 100], [64, 10, 64]], "width": 4}


def made(options: dict[str, Any]) -> MultiresolutionDiscriminator:
    torch.manual_seed(0)
    return MultiresolutionDiscriminator(**options)


def test_it_has_as_many_weights_as_that_of_bigvgan() -> None:
    assert sum(each.numel() for each in MultiresolutionDiscriminator().parameters()) == 280_902


def convolved(state: dict[str, Tensor], name: str, x: Tensor, stride: int) -> Tensor:
    weight = state[f"{name}.weight"]
    return F.conv2d(x, weight, state[f"{name}.bias"], (1, stride), (1, weight.shape[3] // 2))


def spectra(sound: Tensor, size: int, hop: int, window: int) -> Tensor:
    """[B, n] to complex [B, bins, frames]: reflected by (size - hop) / 2, not centred, as UnivNet's code has it."""
    beyond = F.pad(sound[:, None], ((size - hop) // 2,) * 2, "reflect")[:, 0]
    return torch.stft(beyond, size, hop, window, torch.hann_window(window), center=False, return_complex=True)


@pytest.mark.parametrize("length", [400, 512])
def test_of_magnitudes_it_is_univnets(length: int) -> None:
    network, sound = made(UNIVNET), torch.randn(2, 1, length)
    state, answer = folded(network).state_dict(), network(sound, LABEL)
    for place, resolution in enumerate(UNIVNET["resolutions"]):
        x, found = spectra(sound[:, 0], *resolution).abs()[:, None], []
        for layer, stride in enumerate((1, 2, 2, 2, 1)):
            x = F.leaky_relu(convolved(state, f"discriminators.{place}.band_convs.0.{layer}", x, stride), 0.1)
            found.append(x)
        x = convolved(state, f"discriminators.{place}.conv_post", x, 1)
        torch.testing.assert_close(answer.logits[place], x.flatten(1), atol=1e-4, rtol=1e-4)
        for one, other in zip(answer.features[place], [*found, x], strict=True):
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_of_phases_it_is_dacs() -> None:
    network, sound = made(DAC), torch.randn(2, 1, 1024)
    state, answer = folded(network).state_dict(), network(sound, LABEL)
    for place, (size, hop, _) in enumerate(DAC["resolutions"]):
        beyond = F.pad(sound, ((size - hop) // 2,) * 2, "reflect")[:, 0]  # audiotools' match_stride
        window = torch.hann_window(size)
        found = torch.stft(beyond, size, hop, window=window, center=True, return_complex=True)[..., 2:-2]
        picture = torch.view_as_real(found).permute(0, 3, 2, 1)  # [B, 2, frames, bins]
        bins, ends, features = size // 2 + 1, [], []
        assert picture.shape[2:] == (1024 // hop, bins)
        for band, (low, high) in enumerate(pairwise(EDGES)):
            x = picture[..., int(low * bins) : int(high * bins)]
            for layer, stride in enumerate((1, 2, 2, 2, 1)):
                name = f"discriminators.{place}.band_convs.{band}.{layer}"
                x = F.leaky_relu(convolved(state, name, x, stride), 0.1)
                features.append(x)
            ends.append(x)
        x = convolved(state, f"discriminators.{place}.conv_post", torch.cat(ends, dim=-1), 1)
        torch.testing.assert_close(answer.logits[place], x.flatten(1), atol=1e-4, rtol=1e-4)
        for one, other in zip(answer.features[place], [*features, x], strict=True):
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("options", [UNIVNET | {"edges": [0, 0.5, 1]}, DAC], ids=["magnitudes", "phases"])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_weight_is_trained_also_where_there_is_silence(options: dict[str, Any], channels: int) -> None:
    network, sound = made(options | {"channels": channels}), torch.randn(2, channels, 512)
    sound[:, :, :300] = 0
    sound.requires_grad_()
    torch.stack([each.square().mean() for each in network(sound, LABEL).logits]).sum().backward()
    assert sound.grad.isfinite().all()
    assert [name for name, each in network.named_parameters() if each.grad is None or not each.grad.any()] == []


@pytest.mark.parametrize("options", [UNIVNET, DAC], ids=["magnitudes", "phases"])
def test_bfloat16_comes_out_as_float32_and_float64_as_it_is(options: dict[str, Any]) -> None:
    sound = torch.randn(2, 1, 256)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert {each.dtype for each in made(options)(sound.bfloat16(), LABEL).logits} == {torch.float32}
    assert {each.dtype for each in made(options).double()(sound.double(), LABEL).logits} == {torch.float64}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"edges": [0.5]}, r"edges are 0\.5: name two or more that rise"),
        ({"edges": [0, 0.001, 1]}, r"edges are 0, 0\.001, 1: .* with one of 257 frequencies between any two"),
        ({"edges": [0, 1.5]}, r"MultiresolutionDiscriminator\.edges is 1\.5"),
        ({"resolutions": []}, r"MultiresolutionDiscriminator\.resolutions is 0"),
        ({"resolutions": [[64, 100, 64]]}, r"STFT\.hop is 100"),
    ],
)
def test_what_means_nothing_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        made(options)


def test_sound_that_is_too_short_is_told() -> None:
    with pytest.raises(UserError, match="needs 97 of sound, which has 50"):
        made(DAC)(torch.zeros(2, 1, 50), LABEL)
