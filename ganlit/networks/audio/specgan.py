"""Spectrograms made and judged as grey images, by any networks of images: SpecGAN, arXiv 1802.04208, section 3.4."""

from __future__ import annotations

import math

from torch import Tensor, nn

from ganlit.contracts import Judgement
from ganlit.errors import UserError
from ganlit.networks.audio.spectrograms import FLOOR


class Shades(nn.Module):
    """Logarithms of how loud something is, and shades of grey from -1 to 1.

    Args:
        quiet: logarithm that is black; by default the least there is in a mel spectrogram.
        loud: logarithm that is white; louder ones are beyond.

    Raises:
        UserError: these are the same, or the other way round.
    """

    def __init__(self, quiet: float = math.log(FLOOR), loud: float = 2.0) -> None:
        super().__init__()
        if not -math.inf < quiet < loud < math.inf:
            raise UserError(f"{type(self).__name__}.quiet is {quiet:g} and loud {loud:g}: the latter must be more.")
        self.middle, self.half = (quiet + loud) / 2, (loud - quiet) / 2

    def logarithms(self, shades: Tensor) -> Tensor:
        return shades * self.half + self.middle

    def shades(self, logarithms: Tensor) -> Tensor:
        return (logarithms - self.middle) / self.half


class SpectrogramGenerator(Shades):
    """A generator of images whose rows are the bands of a mel spectrogram, the lowest first, and whose columns frames.

    Args:
        network: makes square images of one channel from noise, such as a DCGenerator or StyleGenerator, whose
            resolution is both the bands and the frames.
        quiet: logarithm that is black, and the discriminator's alike; so is the next.
        loud: logarithm that is white.
    """

    def __init__(self, network: nn.Module, quiet: float = math.log(FLOOR), loud: float = 2.0) -> None:
        super().__init__(quiet, loud)
        self.network = network
        self.z_dim, self.classes = network.z_dim, getattr(network, "classes", 0)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """Latents [B, z_dim] and labels [B] to mel spectrograms [B, bands, frames].

        Raises:
            UserError: the network makes images of more than one channel.
        """
        image = self.network(z, label)
        if image.shape[1] != 1:
            raise UserError(f"SpectrogramGenerator.network makes {image.shape[1]} channels: set its channels to 1.")
        return self.logarithms(image[:, 0])


class SpectrogramDiscriminator(Shades):
    """A discriminator of images that is shown mel spectrograms as such.

    Args:
        network: judges images of one channel.
        quiet: as in `SpectrogramGenerator`, and so is the next.
        loud: logarithm that is white.
    """

    def __init__(self, network: nn.Module, quiet: float = math.log(FLOOR), loud: float = 2.0) -> None:
        super().__init__(quiet, loud)
        self.network = network
        self.classes = getattr(network, "classes", 0)

    def forward(self, item: Tensor, label: Tensor) -> Tensor | list[Tensor] | Judgement:
        """Mel spectrograms [B, bands, frames] and labels [B] to what the network says of them."""
        return self.network(self.shades(item)[:, None], label)
