"""A vocoder that stays at the rate of frames and ends in an inverse Fourier transform: Vocos."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlit.errors import UserError
from ganlit.networks.audio.spectrograms import STFT
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check

KERNEL = 7  # frames
LOUDEST = 100.0  # magnitude of a frequency, at most


class FrameBlock(nn.Module):
    """ConvNeXt's block over frames (Liu et al., arXiv 2201.03545, figure 4), its answer scaled by what is learned.

    Args:
        width: feature maps.
        inner: between its two linear maps.
        scale: at the start.
    """

    def __init__(self, width: int, inner: int, scale: float) -> None:
        super().__init__()
        self.frames = nn.Conv1d(width, width, KERNEL, padding=KERNEL // 2, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.maps = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))
        self.scale = nn.Parameter(torch.full((width,), scale))

    def forward(self, x: Tensor) -> Tensor:
        made = self.maps(self.norm(self.frames(x).transpose(1, 2)))
        return x + (self.scale * made).transpose(1, 2)


class FourierGenerator(nn.Module):
    """Mel spectrograms to sound, by the magnitude and the phase of every frequency in every frame; labels are ignored.

    Siuzdak, arXiv 2306.00814, by default at its size for 24 kHz, 100 bands and mono. It computes once a frame what
    others do once a sample, and so learns and speaks about ten times as fast. What it makes at a place depends on
    3 (blocks + 1) frames on either side, and on those that the windows of two frames share.

    Args:
        bands: of a spectrogram.
        channels: of the sound, each of which has bands of its own.
        width: feature maps.
        blocks: one after the other.
        inner: feature maps inside a block.
        size: samples of a Fourier transform.
        hop: samples a frame.

    Raises:
        UserError: an argument is out of its range.
    """

    classes = 0

    multiple = 1
    """Of which the frames of a spectrogram are multiples."""

    def __init__(
        self,
        bands: int = 100,
        channels: int = 1,
        width: int = 512,
        blocks: int = 8,
        inner: int = 1536,
        size: int = 1024,
        hop: int = 256,
    ) -> None:
        super().__init__()
        check(type(self).__name__, bands=bands, channels=channels, width=width, blocks=blocks, inner=inner)
        self.stft = STFT(size, hop)
        self.bands, self.channels, self.scale = bands, channels, hop
        self.first = nn.Conv1d(bands * channels, width, KERNEL, padding=KERNEL // 2)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.blocks = nn.Sequential(*(FrameBlock(width, inner, 1 / blocks) for _ in range(blocks)))
        self.last = nn.Sequential(nn.LayerNorm(width, eps=1e-6), nn.Linear(width, channels * 2 * self.stft.bins))
        self.apply(initialise)

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        """Spectrograms [B, channels * bands, F] to sound [B, channels, F * hop].

        Raises:
            UserError: they have other bands.
        """
        if source.shape[1] != self.bands * self.channels:
            raise UserError(
                f"{type(self).__name__} takes spectrograms of {self.bands * self.channels} bands, but is shown some of "
                f"{source.shape[1]}: set bands, or those of the data, to the other."
            )
        x = self.norm(self.first(source).transpose(1, 2)).transpose(1, 2)
        found = wide(self.last(self.blocks(x).transpose(1, 2))).transpose(1, 2)
        magnitude, phase = found.unflatten(1, (self.channels, 2, self.stft.bins)).unbind(2)
        with torch.autocast(source.device.type, enabled=False):
            spectra = torch.polar(magnitude.exp().clamp(max=LOUDEST), phase)
            return self.stft.waves(spectra, source.shape[-1] * self.scale)

    @property
    def reach(self) -> int:
        """Frames on either side of its own on which a sample depends, at most."""
        shared = max(self.stft.size - 1 - self.stft.beyond, self.stft.hop - 1 + self.stft.beyond) // self.stft.hop
        return KERNEL // 2 * (len(self.blocks) + 1) + shared

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of what gives magnitudes and phases."""
        return self.last[-1].weight


def initialise(module: nn.Module) -> None:
    """Normal weights of deviation 0.02, cut at two, and no bias, as the paper's code has it."""
    if isinstance(module, nn.Conv1d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
