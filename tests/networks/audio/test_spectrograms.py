from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ganlit.errors import UserError
from ganlit.networks.audio.spectrograms import STFT, MelSpectrogram, mel_filters

RATE = 22050


@pytest.fixture(scope="module")
def sound() -> Tensor:
    """[1, 1, 8192]: a gliding tone with its harmonics, in a little noise."""
    time = torch.arange(8192) / RATE
    phase = 2 * torch.pi * (200 * time + 400 * time.square())
    tones = sum((harmonic * phase).sin() / harmonic for harmonic in (1, 2, 3, 5))
    return (0.3 * tones + 0.01 * torch.randn(8192, generator=torch.Generator().manual_seed(0)))[None, None]


@pytest.mark.parametrize(
    ("rate", "size", "bands", "low", "high"),
    [(RATE, 1024, 80, 0, 8000), (24000, 1024, 100, 0, 12000), (16000, 512, 40, 20, 7600)],
)
def test_bands_are_those_of_librosa(rate: int, size: int, bands: int, low: float, high: float) -> None:
    expected = librosa.filters.mel(sr=rate, n_fft=size, n_mels=bands, fmin=low, fmax=high)
    np.testing.assert_allclose(mel_filters(rate, size, bands, low, high).numpy(), expected, atol=1e-8)


def hifi_gan(wave: Tensor, rate: int, size: int, hop: int, window: int, bands: int, low: float, high: float) -> Tensor:
    """As arXiv 2010.05646's data code says it: [B, n] to [B, bands, frames]."""
    filters = torch.from_numpy(librosa.filters.mel(sr=rate, n_fft=size, n_mels=bands, fmin=low, fmax=high))
    beyond = (size - hop) // 2
    wave = F.pad(wave[:, None], (beyond, beyond), mode="reflect")[:, 0]
    shape = torch.hann_window(window)
    spectra = torch.stft(wave, size, hop, window, shape, center=False, onesided=True, return_complex=True)
    magnitudes = torch.sqrt(torch.view_as_real(spectra).pow(2).sum(-1) + 1e-9)
    return torch.log(torch.clamp(torch.matmul(filters, magnitudes), min=1e-5))


@pytest.mark.parametrize(("size", "hop", "window"), [(1024, 256, 1024), (1024, 256, 800), (512, 128, 512)])
def test_a_mel_spectrogram_is_that_of_hifi_gan(sound: Tensor, size: int, hop: int, window: int) -> None:
    found = MelSpectrogram(RATE, size, hop, window, 80 if size == 1024 else 40, 0, 8000)(sound)
    expected = hifi_gan(sound[:, 0], RATE, size, hop, window, found.shape[1], 0, 8000)
    assert found.shape[-1] == sound.shape[-1] // hop
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize(("size", "hop"), [(1024, 256), (256, 64), (600, 120)])
def test_spectra_give_back_their_waves(sound: Tensor, size: int, hop: int, centred: bool) -> None:
    stft = STFT(size, hop, centred=centred)
    assert (stft.waves(stft.complex(sound), 8192) - sound).abs().max() < 1e-5


def test_channels_are_heard_one_by_one(sound: Tensor) -> None:
    mel = MelSpectrogram(RATE)
    both = mel(torch.cat([sound, 0.5 * sound], 1))
    assert both.shape == (1, 160, 32)
    torch.testing.assert_close(both[:, 80:], mel(0.5 * sound))


def test_griffin_lim_finds_a_wave_that_sounds_alike(sound: Tensor) -> None:
    mel = MelSpectrogram(RATE)
    wanted = mel(sound)
    drawn, found = (mel(mel.griffin_lim(wanted, rounds=rounds)) for rounds in (0, 32))
    assert (found - wanted).abs().mean() < 0.2
    assert (found - wanted).abs().mean() < (drawn - wanted).abs().mean() / 3
    assert mel.griffin_lim(wanted, rounds=2).equal(mel.griffin_lim(wanted, rounds=2))


def test_magnitudes_that_follow_come_far_nearer(sound: Tensor) -> None:
    mel = MelSpectrogram(RATE)
    wanted = mel(sound)
    fixed, moved = (mel(mel.griffin_lim(wanted, rounds=32, updates=updates)) for updates in (0, 2))
    assert (moved - wanted).abs().mean() < (fixed - wanted).abs().mean() / 1.5


def test_silence_has_a_gradient() -> None:
    silence = torch.zeros(1, 1, 2048, requires_grad=True)
    MelSpectrogram(RATE)(silence).sum().backward()
    assert silence.grad.isfinite().all()


def test_what_no_spectrogram_can_be_made_of_is_told() -> None:
    with pytest.raises(UserError, match="needs 385 of sound, which has 10: take longer"):
        STFT()(torch.zeros(1, 10))
    with pytest.raises(UserError, match="of 500 bands some hold none of the 513 frequencies of 1024 samples"):
        MelSpectrogram(RATE, bands=500)
    with pytest.raises(UserError, match=r"MelSpectrogram\.high"):
        MelSpectrogram(16000, high=9000.0)
