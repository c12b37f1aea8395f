"""How far sound is from other sound by its spectra, with a gradient: what criteria and metrics have in common."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlit.networks.audio.spectrograms import STFT, MelSpectrogram

RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
"""Of the multi-resolution STFT: samples of a spectrum, from one to the next, and in its window."""

QUIETEST = 1e-4  # magnitude


class Resolutions(nn.Module):
    """Spectra of several sizes: Yamamoto et al., arXiv 1910.11480, equations 4 to 7, with their table 1's sizes.

    Spectral convergence and the mean difference of log magnitudes, their sum averaged over the sizes, of each item by
    itself; auraloss and the authors' code take the convergence of a batch as a whole, which of one item is the same.
    """

    needs = max(size for size, _, _ in RESOLUTIONS) // 2 + 1
    """Samples of an item, at least."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes = nn.ModuleList(STFT(size, hop, window, centred=True) for size, hop, window in RESOLUTIONS)

    def distance(self, output: Tensor, target: Tensor) -> Tensor:
        """[B] of waves [B, C, T] of [-1, 1]."""
        pairs = ((magnitudes(each, output), magnitudes(each, target)) for each in self.sizes)
        return torch.stack([self._distance(*pair) for pair in pairs]).mean(0)

    def _distance(self, output: Tensor, target: Tensor) -> Tensor:
        """Of magnitudes [B, ...]; the convergence to silence, a ratio to nothing, is left out."""
        convergence = (target - output).flatten(1).norm(dim=1) / target.flatten(1).norm(dim=1)
        heard = target.flatten(1).amax(1) > 1.001 * QUIETEST
        return convergence.where(heard, 0.0) + (output.log() - target.log()).abs().flatten(1).mean(1)


def magnitudes(spectrum: STFT, waves: Tensor) -> Tensor:
    """Of waves [..., T], not below the quietest, [..., bins, frames]."""
    return torch.view_as_real(spectrum.complex(waves)).square().sum(-1).clamp(min=QUIETEST**2).sqrt()


def mel_distance(mels: MelSpectrogram, output: Tensor, target: Tensor) -> Tensor:
    """The mean difference [B] of log-mel spectrograms of waves [B, C, T] of [-1, 1]."""
    return (mels(output) - mels(target)).abs().flatten(1).mean(1)
