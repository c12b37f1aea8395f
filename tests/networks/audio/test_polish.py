from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganlit.errors import UserError
from ganlit.networks.audio.hifigan import HiFiGenerator
from ganlit.networks.audio.polish import PolishedGenerator
from ganlit.networks.audio.spectrograms import MelSpectrogram
from ganlit.networks.audio.vocos import FourierGenerator

LABEL = torch.zeros(2, dtype=torch.int64)
MEL = MelSpectrogram(8000, size=256, hop=64, bands=20)


def small(channels: int = 1, **options: int) -> PolishedGenerator:
    torch.manual_seed(0)
    network = FourierGenerator(20, channels, width=16, blocks=2, inner=24, size=256, hop=64)
    return PolishedGenerator(network, MEL, **options).eval()


def sound(channels: int = 1, samples: int = 4096) -> Tensor:
    """Two tones that glide, in hiss."""
    steps = torch.arange(samples) / 8000
    pitch = torch.tensor([300.0, 700.0]).view(2, 1, 1) * (1 + 0.2 * torch.arange(channels).view(1, -1, 1))
    hiss = torch.randn(2, channels, samples, generator=torch.Generator().manual_seed(1))
    return 0.4 * torch.sin(2 * torch.pi * pitch * (steps + steps.square())) + 0.01 * hiss


@pytest.mark.parametrize("channels", [1, 2])
def test_it_comes_nearer_to_its_source_with_each_round(channels: int) -> None:
    wanted = MEL(sound(channels))
    apart = []
    for finish in (0, 4, 32):
        made = small(channels, finish=finish)(wanted, LABEL)
        assert made.shape == (2, channels, 4096)
        apart.append(float((MEL(made) - wanted).abs().mean()))
    assert apart[0] > apart[1] > apart[2]
    assert apart[0] > 1.3 * apart[2]


def test_from_the_right_phases_it_finds_the_sound() -> None:
    """And so a network can learn to begin there: from its own sound, right but for loudness, nothing is left to do."""

    class Right(nn.Module):
        multiple, scale, bands = 1, 64, 20

        def forward(self, source: Tensor, label: Tensor) -> Tensor:
            return 0.3 * sound()

    wanted = sound()
    found = PolishedGenerator(Right(), MEL, finish=8).eval()(MEL(wanted), LABEL)
    assert (found - wanted)[..., 256:-256].square().mean() < 0.02 * wanted.square().mean()
    random = MEL.griffin_lim(MEL(wanted), rounds=8)
    assert (random - wanted)[..., 256:-256].square().mean() > 0.5 * wanted.square().mean()


def test_magnitudes_are_moved_to_the_mels_and_no_further() -> None:
    spectra = MelSpectrogram(8000, size=256, hop=64, bands=20, low=200.0, high=3000.0)
    start, wanted = MEL.sizes(spectra.complex(sound()[:, 0])), spectra(sound()[:1].flip(0)).expand(2, -1, -1)
    moved = spectra.fitted(start, wanted, 50)
    deaf = spectra.filters.sum(0) == 0
    assert deaf.any()
    assert not moved[:, deaf].any()
    before, after = ((spectra.filters @ each).clamp(min=1e-5).log() - wanted for each in (start, moved))
    assert after.abs().mean() < 0.05 * before.abs().mean()


def test_rounds_are_others_in_training_and_the_network_learns_through_them() -> None:
    generator, wanted = small(rounds=2, finish=5), MEL(sound())
    used = generator(wanted, LABEL)
    assert torch.equal(used, small(finish=5)(wanted, LABEL))
    trained = generator.train()(wanted, LABEL)
    assert torch.equal(trained, small(finish=2, momentum=0)(wanted, LABEL))
    (MEL(trained) - wanted).abs().mean().backward()
    assert all(weight.grad.isfinite().all() and weight.grad.any() for weight in generator.parameters())
    assert generator.last_layer is generator.network.last_layer


def test_silence_has_a_gradient() -> None:
    generator = small().train()
    generator(MEL(torch.zeros(2, 1, 1024)), LABEL).square().sum().backward()
    assert all(weight.grad.isfinite().all() for weight in generator.parameters())


def test_a_part_sounds_as_it_does_in_the_whole() -> None:
    generator, source = small(finish=3), MEL(sound(samples=64 * 120))
    reach = generator.reach
    assert reach == generator.network.reach + 4 * 4  # of three rounds and the first spectra, four hops each
    part = generator(source[..., 20:110], LABEL)[..., reach * 64 : -reach * 64]
    whole = generator(source, LABEL)[..., (20 + reach) * 64 : (110 - reach) * 64]
    torch.testing.assert_close(part, whole, atol=1e-5, rtol=1e-3)


def test_what_does_not_fit_is_refused() -> None:
    network = HiFiGenerator(20, width=32, strides=[8, 4], kernels=[3], dilations=[[1]])
    with pytest.raises(
        UserError, match=r"takes spectrograms of a hop of 32 and 20 bands, its own has a hop of 64 and 20"
    ):
        PolishedGenerator(network, MEL)
    with pytest.raises(UserError, match=r"PolishedGenerator\.finish"):
        small(finish=-1)
