"""Criteria of sound, with gradient and against other ways to compute the same."""

from __future__ import annotations

import auraloss
import librosa
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ganlit.contracts import Verdict
from ganlit.errors import UserError
from ganlit.losses.audio.spectral import MelL1, MultiResolutionSTFT, MultiScaleMel
from ganlit.losses.base import Attempt, Criterion

RATE = 22050
CRITERIA = [lambda: MelL1(RATE), MultiResolutionSTFT, lambda: MultiScaleMel(RATE)]


def attempt(output: Tensor, target: Tensor) -> Attempt:
    return Attempt(target, Verdict(lambda items: items, target, output))


@pytest.fixture(scope="module")
def sounds() -> tuple[Tensor, Tensor]:
    """Outputs and targets [2, 1, 8192]: tones in noise, and the same in more of it."""
    stream, time = torch.Generator().manual_seed(0), torch.arange(8192) / RATE
    pitch = torch.tensor([[220.0], [700.0]])
    target = (2 * torch.pi * pitch * time).sin()[:, None] * torch.linspace(0, 0.8, 8192)
    noise = torch.randn(2, *target.shape, generator=stream)
    return target + 0.1 * noise[0], target + 0.01 * noise[1]


def log_mel(wave: Tensor, size: int, bands: int, beyond: int, power: Tensor) -> Tensor:
    """[B, n] to [B, bands, frames], before the logarithm; a quarter of the size is a hop."""
    filters = torch.from_numpy(librosa.filters.mel(sr=RATE, n_fft=size, n_mels=bands, fmin=0, fmax=None))
    wave = F.pad(wave[:, None], (beyond, beyond), mode="reflect")[:, 0]
    spectra = torch.stft(wave, size, size // 4, size, torch.hann_window(size), center=False, return_complex=True)
    return filters @ (spectra.abs().square() + power).sqrt()


def test_the_mel_criterion_is_that_of_hifi_gan(sounds: tuple[Tensor, Tensor]) -> None:
    """Whose loss has bands up to half the rate."""
    made, true = (log_mel(x[:, 0], 1024, 80, 384, torch.tensor(1e-9)).clamp(min=1e-5).log() for x in sounds)
    found = MelL1(RATE, weight=45.0)
    assert found(attempt(*sounds)).item() == pytest.approx(F.l1_loss(made, true).item(), rel=1e-4)
    assert found.term(attempt(*sounds)).item() == pytest.approx(45 * F.l1_loss(made, true).item(), rel=1e-4)
    assert (found.name, found.mels.high) == ("mell1", RATE / 2)


def test_resolutions_are_those_of_auraloss_item_by_item(sounds: tuple[Tensor, Tensor]) -> None:
    reference = auraloss.freq.MultiResolutionSTFTLoss()
    each = [reference(*(x[[place]] for x in sounds)).item() for place in range(2)]
    found = MultiResolutionSTFT()(attempt(*sounds)).item()
    assert found == pytest.approx(sum(each) / 2, rel=1e-4)
    stereo = [x.view(1, 2, -1) for x in sounds]
    assert MultiResolutionSTFT()(attempt(*stereo)).item() == pytest.approx(reference(*stereo).item(), rel=1e-4)


@pytest.mark.filterwarnings("ignore:Empty filters")
def test_the_scales_of_mels_are_those_of_dac(sounds: tuple[Tensor, Tensor]) -> None:
    sizes, bands = (32, 64, 128, 256, 512, 1024, 2048), (5, 10, 20, 40, 80, 160, 320)
    expected = 0.0
    for size, count in zip(sizes, bands, strict=True):
        made, true = (log_mel(x[:, 0], size, count, size // 2, torch.tensor(0.0)) for x in sounds)
        expected += F.l1_loss(made.clamp(min=1e-5).log10(), true.clamp(min=1e-5).log10()).item()
    assert MultiScaleMel(RATE)(attempt(*sounds)).item() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("build", CRITERIA)
def test_parts_of_a_batch_are_the_batch(build: type[Criterion], sounds: tuple[Tensor, Tensor]) -> None:
    criterion = build()
    parts = [criterion(attempt(*(x[[place]] for x in sounds))).item() for place in range(2)]
    assert criterion(attempt(*sounds)).item() == pytest.approx(sum(parts) / 2, rel=1e-5)
    assert criterion(attempt(sounds[1], sounds[1])).item() == 0


@pytest.mark.parametrize("build", CRITERIA)
def test_gradients_are_finite_where_there_is_silence(build: type[Criterion], sounds: tuple[Tensor, Tensor]) -> None:
    """Of outputs, of targets, and of both."""
    criterion, silence = build(), torch.zeros(2, 1, 8192)
    for output, target in ((sounds[0], sounds[1]), (silence, sounds[1]), (sounds[0], silence), (silence, silence)):
        made = output.clone().requires_grad_()
        value = criterion(attempt(made, target))
        value.backward()
        assert value.isfinite()
        assert made.grad.isfinite().all()
        if output is sounds[0]:
            assert made.grad.abs().sum() > 0


@pytest.mark.parametrize("build", CRITERIA)
def test_half_precision_is_widened_and_nothing_is_stored(build: type[Criterion], sounds: tuple[Tensor, Tensor]) -> None:
    criterion = build()
    assert not criterion.state_dict()
    with torch.autocast("cpu", torch.bfloat16):
        found = criterion(attempt(*sounds))
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(criterion(attempt(*sounds)).item())
    short = [x.half() for x in sounds]
    assert criterion(attempt(*short)).item() == pytest.approx(found.item(), rel=0.02)


@pytest.mark.parametrize("build", CRITERIA)
def test_what_cannot_be_compared_is_refused(build: type[Criterion], sounds: tuple[Tensor, Tensor]) -> None:
    criterion, (output, target) = build(), sounds
    for one, other in ((output[..., 1:], target), (output.expand(-1, 2, -1), target), (output[:, 0], target[:, 0])):
        with pytest.raises(UserError, match=r"compares sound \[B, channels, samples\], but the outputs are"):
            criterion(attempt(one, other))
    with pytest.raises(UserError, match=r"needs \d+ of sound, which has 10: take longer recordings"):
        criterion(attempt(output[..., :10], target[..., :10]))


def test_scales_need_as_many_bands() -> None:
    with pytest.raises(UserError, match=r"MultiScaleMel.sizes and MultiScaleMel.bands are 7 and 1: give each size its"):
        MultiScaleMel(RATE, bands=[5])
    with pytest.raises(UserError, match=r"MultiScaleMel.bands is 90: it must be at least 1 and at most 65"):
        MultiScaleMel(RATE, sizes=[128], bands=[90])
