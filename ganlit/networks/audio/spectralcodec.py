"""A codec at the rate of frames: what is coded is a mel spectrogram, which a vocoder speaks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlit.errors import UserError
from ganlit.networks.audio.coder import Coder
from ganlit.networks.audio.frames import FrameNetwork
from ganlit.networks.audio.polish import PolishedGenerator
from ganlit.networks.layers import wide
from ganlit.networks.residual import ResidualQuantizer


class SpectralCodec(Coder):
    """Sound to a few codes a second in levels, and back; labels are ignored.

    The latent is the mel spectrogram itself, and what an encoder adds to it, so that codes mean something from the
    first batch on; a decoder adds to what they stand for, and a vocoder speaks that. All of it learns together, by
    what is heard. No network sees samples one by one, and so it speaks within minutes; but phases are not coded, and
    however many bits there are, it is not the wave that comes back, but one that sounds alike. That codes can be spoken
    at the rate of frames is WavTokenizer's, Ji et al., arXiv 2408.16532.

    Args:
        quantizer: gives the latent its codes; the size of its vectors is the bands of the sound.
        vocoder: spectrograms to sound; its own spectrogram is what is coded, its hop the samples a code.
        channels: of the sound: 1 for mono.
        width: feature maps of encoder and decoder.
        blocks: of each of them.
        inner: feature maps inside a block.

    Raises:
        UserError: an argument is out of its range, or they do not fit one another.
    """

    def __init__(
        self,
        quantizer: ResidualQuantizer,
        vocoder: PolishedGenerator,
        channels: int = 1,
        width: int = 256,
        blocks: int = 3,
        inner: int = 768,
    ) -> None:
        spectrogram = vocoder.spectrogram
        super().__init__(quantizer, spectrogram.rate, spectrogram.hop)
        bands = channels * spectrogram.bands
        if quantizer.dim != bands:
            raise UserError(
                f"SpectralCodec codes the {bands} bands of its vocoder's spectrogram, but its quantizer's dim is "
                f"{quantizer.dim}: set that to {bands}."
            )
        self.encoder = FrameNetwork(bands, bands, width, blocks, inner)
        self.decoder = FrameNetwork(bands, bands, width, blocks, inner)
        self.vocoder = vocoder

    def latents(self, sound: Tensor) -> Tensor:
        with torch.autocast(sound.device.type, enabled=False):
            mels = self.vocoder.spectrogram(wide(sound))
        return mels + self.encoder(mels)

    def decode(self, latent: Tensor, label: Tensor) -> Tensor:
        """Latents [B, dim, t] to sound [B, C, t * multiple]."""
        return self.vocoder(latent + self.decoder(latent), label)

    @property
    def reach(self) -> int:
        """Samples on either side of its own on which a sample depends, at most."""
        spectrogram = self.vocoder.spectrogram
        frames = self.encoder.reach + self.decoder.reach + self.vocoder.reach
        return frames * self.multiple + max(spectrogram.beyond + self.multiple, spectrogram.size - spectrogram.beyond)

    @property
    def last_layer(self) -> nn.Parameter:
        """That of the vocoder."""
        return self.vocoder.last_layer
