"""A codec at the rate of frames: what the house asks of an autoencoder, bitrates, and how far it looks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.networks.audio.polish import PolishedGenerator
from ganlit.networks.audio.spectralcodec import SpectralCodec
from ganlit.networks.audio.spectrograms import MelSpectrogram
from ganlit.networks.audio.vocos import FourierGenerator
from ganlit.networks.residual import ResidualQuantizer

LABEL = torch.zeros(2, dtype=torch.int64)
BANDS, HOP, FRAMES = 20, 40, 12


def small(channels: int = 1, **options: Any) -> SpectralCodec:
    torch.manual_seed(0)
    vocoder = PolishedGenerator(
        FourierGenerator(BANDS, channels, width=16, blocks=1, inner=24, size=160, hop=HOP),
        MelSpectrogram(8000, size=160, hop=HOP, bands=BANDS),
        **{"rounds": 1, "finish": 2, "momentum": 0.0} | options,
    )
    quantizer = ResidualQuantizer(3, codes=8, dim=channels * BANDS, half_life=1.0)
    network = SpectralCodec(quantizer, vocoder, channels, width=16, blocks=1, inner=24)
    network(sound(channels), LABEL)  # codebooks begin
    return network


def sound(channels: int = 1, frames: int = FRAMES, batch: int = 2) -> Tensor:
    return 0.3 * torch.randn(batch, channels, frames * HOP, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("channels", [1, 2])
def test_it_encodes_and_decodes(channels: int) -> None:
    network, given = small(channels).eval(), sound(channels)
    output, side = network(given, LABEL)
    latent, encoded = network.encode(given, LABEL)
    assert output.shape == given.shape
    assert latent.shape == (2, channels * BANDS, FRAMES)
    assert side["codes"].shape == (2, 3, FRAMES)
    assert torch.equal(encoded["codes"], side["codes"])
    assert torch.equal(network.decode(latent, LABEL), output)
    assert torch.equal(network.embedded(side["codes"]), latent)
    assert (network.classes, network.multiple, network.rate) == (0, HOP, 8000)


def test_a_level_is_three_bits_a_frame() -> None:
    network = small().eval()
    assert network.bitrate == 8000 / HOP * 3 * 3
    whole = network(sound(), LABEL)
    network.levels = 1
    assert network.bitrate == 8000 / HOP * 3
    coarse = network(sound(), LABEL)
    assert torch.equal(coarse.side["codes"], whole.side["codes"][:, :1])
    assert not torch.allclose(coarse.output, whole.output)


def test_all_of_it_learns_by_the_mels_of_its_sound() -> None:
    network, given = small().train(), sound()
    spectrogram = network.vocoder.spectrogram
    output, _ = network(given, LABEL)
    (spectrogram(output) - spectrogram(given)).abs().mean().backward()
    assert all(weight.grad.isfinite().all() and weight.grad.any() for weight in network.parameters())
    assert network.last_layer is network.vocoder.last_layer


def test_codes_mean_something_before_anything_is_learnt() -> None:
    """They are those of the spectrogram itself, which the networks at first hardly change."""
    network, given = small(), sound()
    mels = network.vocoder.spectrogram(given)
    latent, _ = network.eval().encode(given, LABEL)
    assert (latent - mels).square().mean() < 0.5 * (mels - mels.mean((0, 2), keepdim=True)).square().mean()


def test_a_few_steps_bring_it_nearer() -> None:
    network, given = small(rounds=2).train(), sound()
    spectrogram, optimizer = network.vocoder.spectrogram, torch.optim.Adam(network.parameters(), 3e-3)

    def apart() -> Tensor:
        return (spectrogram(network(given, LABEL).output) - spectrogram(given)).abs().mean()

    before = float(apart().detach())
    for _ in range(40):
        optimizer.zero_grad()
        apart().backward()
        optimizer.step()
    assert float(apart().detach()) < 0.8 * before


def test_a_part_is_what_the_whole_is_away_from_its_ends() -> None:
    network, given = small(finish=1).double().eval(), sound(frames=80, batch=1).double()
    first, last = 10, 75
    whole, part = (network(each, LABEL[:1]).output for each in (given, given[..., first * HOP : last * HOP]))
    reach = network.reach
    assert reach < (last - first) * HOP // 2
    inside = part[..., reach:-reach]
    torch.testing.assert_close(inside, whole[..., first * HOP + reach :][..., : inside.shape[-1]], rtol=0, atol=1e-9)


def test_bfloat16_comes_out_as_float32() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output, side = small()(sound(), LABEL)
    assert {output.dtype, side["latent"].dtype} == {torch.float32}


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UserError, match=f"SpectralCodec takes sounds whose samples are multiples of {HOP}.* of 485"):
        small()(torch.zeros(2, 1, 12 * HOP + 5), LABEL)
    vocoder = small().vocoder
    with pytest.raises(UserError, match=r"FrameNetwork\.blocks is 0"):
        SpectralCodec(ResidualQuantizer(1, 8, BANDS), vocoder, blocks=0)
    with pytest.raises(
        UserError, match="codes the 20 bands of its vocoder's spectrogram, but its quantizer's dim is 6"
    ):
        SpectralCodec(ResidualQuantizer(1, 8, 6), vocoder)
