"""Sound as spectrograms, and back: what networks, criteria, metrics and pictures of sound have in common."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.errors import UserError, within

FLOOR = 1e-5  # below which the logarithm of a spectrogram does not go


class STFT(nn.Module):
    """Sound in short windows by frequency; a periodic Hann window.

    Args:
        size: samples of which one spectrum is taken.
        hop: samples from one to the next.
        window: samples that are looked at, in the middle of the size; all by default.
        centred: reflect half a size beyond both ends, so that n samples have n // hop + 1 spectra, as librosa has it;
            otherwise so much that they have n / hop.

    Raises:
        UserError: a number is out of its range.
    """

    def __init__(self, size: int = 1024, hop: int = 256, window: int | None = None, centred: bool = False) -> None:
        super().__init__()
        name = type(self).__name__
        within(f"{name}.size", size, least=2, most=2**20)
        within(f"{name}.hop", hop, least=1, most=size)
        within(f"{name}.window", window, least=1, most=size, optional=True)
        self.size, self.hop, self.centred = size, hop, centred
        self.beyond = size // 2 if centred else (size - hop) // 2
        shape, lacking = torch.hann_window(window or size), size - (window or size)
        self.register_buffer("shape", F.pad(shape, (lacking // 2, lacking - lacking // 2)), persistent=False)

    @property
    def bins(self) -> int:
        """Frequencies, from zero to half the sample rate."""
        return self.size // 2 + 1

    def complex(self, waves: Tensor) -> Tensor:
        """Waves [..., n] to complex [..., bins, frames].

        Raises:
            UserError: they are too short to be reflected.
        """
        if waves.shape[-1] <= self.beyond:
            raise UserError(
                f"A spectrum of {self.size} samples needs {self.beyond + 1} of sound, which has {waves.shape[-1]}: "
                "take longer recordings, or a smaller size."
            )
        flat = waves.reshape(-1, waves.shape[-1])
        beyond = F.pad(flat[:, None], (self.beyond, self.beyond), mode="reflect")[:, 0]
        shape = self.shape.to(flat.dtype)
        found = torch.stft(beyond, self.size, self.hop, window=shape, center=False, return_complex=True)
        return found.view(*waves.shape[:-1], *found.shape[1:])

    def forward(self, waves: Tensor) -> Tensor:
        """Waves [..., n] to magnitudes [..., bins, frames]; their gradient is finite also where there is silence."""
        return self.sizes(self.complex(waves))

    @staticmethod
    def sizes(spectra: Tensor) -> Tensor:
        """The magnitudes of complex spectra, never quite zero, so that one can divide by them and differentiate."""
        return (torch.view_as_real(spectra).square().sum(-1) + 1e-9).sqrt()

    def agreed(
        self,
        magnitudes: Tensor,
        phases: Tensor,
        length: int,
        rounds: int,
        momentum: float,
        moved: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """Waves [..., length] of magnitudes [..., bins, frames] whose phases fit one another better with each round.

        Perraudin et al., WASPAA 2013 (fast Griffin-Lim), where they begin as they are given, complex of size 1.
        Magnitudes stay as they are, or are in each round what is `moved` of those of the waves found so far.
        """
        before = torch.zeros_like(phases)
        for _ in range(rounds):
            rebuilt = self.complex(self.waves(magnitudes * phases, length))
            ahead = rebuilt - before * (momentum / (1 + momentum))
            phases, before = ahead / self.sizes(ahead), rebuilt
            if moved is not None:
                magnitudes = moved(self.sizes(rebuilt))
        return self.waves(magnitudes * phases, length)

    def waves(self, spectra: Tensor, length: int) -> Tensor:
        """The waves [..., length] of which spectra [..., bins, frames] are nearest, by overlap and add.

        Griffin and Lim, IEEE TASSP 32 (2), 1984, equation 6.
        """
        flat = spectra.reshape(-1, *spectra.shape[-2:])
        shape = self.shape.to(flat.real.dtype)
        pieces = torch.fft.irfft(flat, self.size, dim=1) * shape[:, None]
        added = self._added(torch.cat([pieces, shape.square()[None, :, None].expand(1, -1, pieces.shape[2])]))
        found = (added[:-1] / added[-1:].clamp(min=1e-8))[:, self.beyond : self.beyond + length]
        return F.pad(found, (0, length - found.shape[1])).view(*spectra.shape[:-2], length)

    def _added(self, pieces: Tensor) -> Tensor:
        """[B, size, frames] to [B, samples]."""
        total = self.size + self.hop * (pieces.shape[2] - 1)
        return F.fold(pieces, (1, total), (1, self.size), stride=(1, self.hop)).flatten(1)


class MelSpectrogram(STFT):
    """The logarithm of how loud sound is in bands that are as wide as ears hear: that of HiFi-GAN.

    Kong et al., arXiv 2010.05646, as their data code has it: magnitudes, Slaney's bands of equal area, log of at least
    1e-5.

    Args:
        rate: samples a second.
        size: as in `STFT`, and so are the next two.
        hop: samples from one spectrum to the next.
        window: samples that are looked at.
        bands: how many.
        low: Hz at which the first begins.
        high: Hz at which the last ends; by default half the rate.

    Raises:
        UserError: a number is out of its range, or a band has no frequency in it.
    """

    def __init__(
        self,
        rate: int,
        size: int = 1024,
        hop: int = 256,
        window: int | None = None,
        bands: int = 80,
        low: float = 0.0,
        high: float | None = None,
    ) -> None:
        super().__init__(size, hop, window)
        name = type(self).__name__
        within(f"{name}.rate", rate, least=1, most=2**20)
        within(f"{name}.bands", bands, least=1, most=self.bins)
        within(f"{name}.high", high, above=low, most=rate / 2, optional=True)
        within(f"{name}.low", low, least=0, most=rate / 2)
        self.rate, self.bands, self.low, self.high = rate, bands, low, high or rate / 2
        filters = mel_filters(rate, size, bands, low, self.high)
        if not bool(filters.any(1).all()):
            raise UserError(
                f"{name}: of {bands} bands some hold none of the {self.bins} frequencies of {size} samples: lower "
                "bands, or raise size."
            )
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waves: Tensor) -> Tensor:
        """Waves [B, channels, n] to [B, channels * bands, n / hop]."""
        mels = self.filters.to(waves.dtype) @ super().forward(waves)
        return mels.clamp(min=FLOOR).log().flatten(1, 2)

    def magnitudes(self, mels: Tensor, rounds: int = 100) -> Tensor:
        """Spectra [B, bins, frames], not negative, that have such mels [B, bands, frames], by multiplicative updates.

        Lee and Seung, NIPS 2000, equation 4.
        """
        filters = self.filters.to(mels.dtype)
        up = filters.T @ mels.exp()
        found = up.clone()
        for _ in range(rounds):
            found = found * up / (filters.T @ (filters @ found)).clamp(min=1e-10)
        return found

    def fitted(self, magnitudes: Tensor, mels: Tensor, rounds: int) -> Tensor:
        """Spectra [..., bins, frames] moved to have such mels [..., bands, frames]; frequencies of no band fall silent.

        Lee and Seung, NIPS 2000, equation 5, multiplicative updates for the divergence.
        """
        filters, wanted = self.filters.to(mels.dtype), mels.exp()
        shares = filters.sum(0)[:, None].clamp(min=1e-6)
        for _ in range(rounds):
            lacking = filters.T @ (wanted / (filters @ magnitudes).clamp(min=1e-6))
            magnitudes = magnitudes * (lacking / shares).clamp(max=1e3)
        return magnitudes

    def griffin_lim(
        self, mels: Tensor, rounds: int = 32, momentum: float = 0.99, seed: int = 0, updates: int = 0
    ) -> Tensor:
        """Waves [B, 1, frames * hop] that have such mels [B, bands, frames], of phases that fit one another.

        From phases drawn by the seed: what any vocoder has to beat. With `updates` the magnitudes, of which mels leave
        most open, follow the phases: those of each round are moved by so many updates to have the mels again.
        """
        magnitudes, length = self.magnitudes(mels), mels.shape[-1] * self.hop
        angles = torch.rand(magnitudes.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        phases = torch.polar(torch.ones_like(magnitudes), (2 * math.pi * angles).to(magnitudes))
        moved = partial(self.fitted, mels=mels, rounds=updates) if updates else None
        return self.agreed(magnitudes, phases, length, rounds, momentum, moved)[:, None]


def mel_filters(rate: int, size: int, bands: int, low: float, high: float) -> Tensor:
    """Triangles [bands, size // 2 + 1] of equal area, evenly spread on Slaney's scale (Auditory Toolbox, 1998)."""
    edges = hertz(torch.linspace(mel(low), mel(high), bands + 2, dtype=torch.float64))
    frequencies = torch.linspace(0, rate / 2, size // 2 + 1, dtype=torch.float64)
    rising = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    triangles = torch.minimum(rising, falling).clamp(min=0)
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).float()


LINEAR = 1000.0  # Hz, up to which Slaney's scale is linear,
STEP = 200 / 3  # Hz a mel,
RATIO = math.log(6.4) / 27  # and above which each mel is so much more in the logarithm


def mel(frequency: float) -> float:
    """Of a frequency in Hz, on Slaney's scale."""
    return frequency / STEP if frequency < LINEAR else LINEAR / STEP + math.log(frequency / LINEAR) / RATIO


def hertz(mels: Tensor) -> Tensor:
    """The frequencies of mels."""
    above = mels - LINEAR / STEP
    return torch.where(above > 0, LINEAR * (RATIO * above).exp(), mels * STEP)
