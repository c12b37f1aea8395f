"""A vocoder that stays at the rate of frames and ends in an inverse Fourier transform: Vocos."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlit.errors import UserError
from ganlit.networks.audio.frames import FrameNetwork
from ganlit.networks.audio.spectrograms import STFT
from ganlit.networks.sizes import check

LOUDEST = 100.0  # magnitude of a frequency, at most


class FourierGenerator(FrameNetwork):
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
        check(type(self).__name__, bands=bands, channels=channels)
        stft = STFT(size, hop)
        super().__init__(bands * channels, channels * 2 * stft.bins, width, blocks, inner)
        self.stft = stft
        self.bands, self.channels, self.scale = bands, channels, hop

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
        magnitude, phase = super().forward(source).unflatten(1, (self.channels, 2, self.stft.bins)).unbind(2)
        with torch.autocast(source.device.type, enabled=False):
            spectra = torch.polar(magnitude.exp().clamp(max=LOUDEST), phase)
            return self.stft.waves(spectra, source.shape[-1] * self.scale)

    @property
    def reach(self) -> int:
        """Frames on either side of its own on which a sample depends, at most."""
        shared = max(self.stft.size - 1 - self.stft.beyond, self.stft.hop - 1 + self.stft.beyond) // self.stft.hop
        return super().reach + shared

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of what gives magnitudes and phases."""
        return self.last[-1].weight
