"""Criteria of sound by its spectra, which no two phases tell apart that ears do not."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from ganlit.errors import UserError, within
from ganlit.losses.base import Attempt, Criterion
from ganlit.metrics.audio.spectral import Resolutions, mel_distance
from ganlit.networks.audio.spectrograms import FLOOR, STFT, MelSpectrogram, mel_filters


class MelL1(Criterion):
    """Mean absolute difference of log-mel spectrograms: HiFi-GAN, Kong et al., arXiv 2010.05646, equation 5.

    The bands of the criterion reach up to half the rate, also where those that a vocoder is given end at 8 kHz.

    Args:
        rate: samples a second.
        weight: its factor, 45 in the paper.
        size: samples of which one spectrum is taken.
        hop: samples from one to the next.
        window: samples that are looked at; all by default.
        bands: how many.
        low: Hz at which the first begins.
        high: Hz at which the last ends; by default half the rate.
        name: what it is logged by.

    Raises:
        UserError: a value is out of its range.
    """

    def __init__(
        self,
        rate: int,
        weight: float = 1.0,
        size: int = 1024,
        hop: int = 256,
        window: int | None = None,
        bands: int = 80,
        low: float = 0.0,
        high: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(weight, name)
        self.mels = MelSpectrogram(rate, size, hop, window, bands, low, high)

    def forward(self, attempt: Attempt) -> Tensor:
        output, target = waves(attempt)
        with torch.autocast(output.device.type, enabled=False):
            return mel_distance(self.mels, output, target).mean()


class MultiResolutionSTFT(Criterion):
    """Spectral convergence and log magnitudes in three resolutions: Yamamoto et al., arXiv 1910.11480, equation 7.

    The convergence is that of each item, so that parts of a batch are the batch.
    """

    def __init__(self, weight: float = 1.0, name: str | None = None) -> None:
        super().__init__(weight, name)
        self.resolutions = Resolutions()

    def forward(self, attempt: Attempt) -> Tensor:
        output, target = waves(attempt)
        with torch.autocast(output.device.type, enabled=False):
            return self.resolutions.distance(output, target).mean()


class MultiScaleMel(Criterion):
    """L1 of log-mel spectrograms at several scales, added up: DAC, Kumar et al., arXiv 2306.06546, section 3.4.

    The logarithm is to the base of 10, as in the authors' code.

    Args:
        rate: samples a second.
        weight: its factor, 15 in the paper.
        sizes: samples of which one spectrum is taken; from one to the next it is a quarter of them.
        bands: how many, of each size.
        name: what it is logged by.

    Raises:
        UserError: a value is out of its range.
    """

    def __init__(
        self,
        rate: int,
        weight: float = 1.0,
        sizes: Sequence[int] = (32, 64, 128, 256, 512, 1024, 2048),
        bands: Sequence[int] = (5, 10, 20, 40, 80, 160, 320),
        name: str | None = None,
    ) -> None:
        super().__init__(weight, name)
        within("MultiScaleMel.rate", rate, least=1, most=2**20)
        if not len(sizes) == len(bands) > 0:
            raise UserError(
                f"MultiScaleMel.sizes and MultiScaleMel.bands are {len(sizes)} and {len(bands)}: give each size its "
                "number of bands."
            )
        for size, count in zip(sizes, bands, strict=True):
            within("MultiScaleMel.sizes", size, least=4, most=2**20)
            within("MultiScaleMel.bands", count, least=1, most=size // 2 + 1)
        self.spectra = nn.ModuleList(STFT(size, size // 4, centred=True) for size in sizes)
        # Of the smallest sizes some bands hold no frequency at all, here as in the paper.
        for place, (size, count) in enumerate(zip(sizes, bands, strict=True)):
            self.register_buffer(f"filters{place}", mel_filters(rate, size, count, 0.0, rate / 2), persistent=False)

    def forward(self, attempt: Attempt) -> Tensor:
        output, target = waves(attempt)
        with torch.autocast(output.device.type, enabled=False):
            scales = range(len(self.spectra))
            return torch.stack([l1_loss(self._mels(each, output), self._mels(each, target)) for each in scales]).sum()

    def _mels(self, scale: int, waves: Tensor) -> Tensor:
        filters = getattr(self, f"filters{scale}").to(waves.dtype)
        return (filters @ self.spectra[scale](waves)).clamp(min=FLOOR).log10()


def waves(attempt: Attempt) -> tuple[Tensor, Tensor]:
    """Output and target [B, C, T] in float32 at least: a spectrum of fewer bits is one of their noise.

    Raises:
        UserError: they are no sound, or of two lengths.
    """
    output, target = attempt.output, attempt.target
    if output.ndim != 3 or output.shape != target.shape:
        raise UserError(
            f"A criterion of spectra compares sound [B, channels, samples], but the outputs are {list(output.shape)} "
            f"and the targets {list(target.shape)}: make them alike, or leave that criterion out."
        )
    wide = torch.promote_types(output.dtype, torch.float32)
    return output.to(wide), target.to(wide)
