"""The Descript Audio Codec, Kumar et al., arXiv 2306.06546: SoundStream, arXiv 2107.03312, that is periodic."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from ganlit.errors import UserError, within
from ganlit.networks.audio.activations import Snake
from ganlit.networks.audio.coder import Coder
from ganlit.networks.audio.convolutions import down, level, matrix, normed, up
from ganlit.networks.audio.reach import Reach
from ganlit.networks.layers import wide
from ganlit.networks.residual import ResidualQuantizer
from ganlit.networks.sizes import check

DILATIONS = 1, 3, 9


def initialise(module: nn.Module) -> None:
    """No bias, as the authors' code: else all latents are alike at first, and learn to have one code."""
    if isinstance(module, nn.Conv1d | nn.Linear):
        nn.init.zeros_(module.bias)


class Unit(nn.Sequential):
    """A residual dilated convolution, and one of a single place behind it."""

    def __init__(self, maps: int, dilation: int) -> None:
        super().__init__(Snake(maps), level(maps, maps, 7, dilation), Snake(maps), level(maps, maps, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


def units(maps: int) -> list[nn.Module]:
    return [Unit(maps, dilation) for dilation in DILATIONS]


class Codec(Coder):
    """Sound to a few codes a second in levels, and back; labels are ignored.

    By default it is that of 44.1 kHz, where the quantizer has 9 levels of 1,024 codes, a dim of 1,024, a code_dim of 8
    and cosine; a second of sound is then 7,752 bits. A sample depends on 9,364 on either side of its own at most.

    Args:
        quantizer: gives the latent its codes; the size of its vectors is that of the latent.
        rate: samples a second.
        channels: of the sound: 1 for mono.
        width: feature maps of the encoder at the full rate; each stride doubles them.
        decoder_width: feature maps of the decoder at the lowest rate; each stride halves them.
        strides: of the encoder, whose product is the samples a code; the decoder has them in the opposite order.

    Raises:
        UserError: an argument is out of its range, or they do not fit one another.
    """

    def __init__(
        self,
        quantizer: ResidualQuantizer,
        rate: int = 44100,
        channels: int = 1,
        width: int = 64,
        decoder_width: int = 1536,
        strides: Sequence[int] = (2, 4, 8, 8),
    ) -> None:
        check("Codec", rate=rate, channels=channels, width=width, strides=len(strides))
        for stride in strides:
            within("Codec.strides", stride, least=2, most=2**10)
        if decoder_width < 1 or decoder_width % (1 << len(strides)):
            raise UserError(
                f"Codec.decoder_width is {decoder_width}, which {len(strides)} strides cannot halve: set it to a "
                f"multiple of {1 << len(strides)}."
            )
        super().__init__(normed(quantizer), rate, math.prod(strides))
        self.encoder = encoder(channels, width, strides, quantizer.dim)
        self.decoder = decoder(quantizer.dim, decoder_width, strides[::-1], channels)
        self.apply(initialise)

    def latents(self, sound: Tensor) -> Tensor:
        return self.encoder(sound)

    def decode(self, latent: Tensor, label: Tensor) -> Tensor:
        """Latents [B, dim, t] to sound [B, C, t * multiple]."""
        return wide(self.decoder(latent.to(matrix(self.decoder[0]).dtype))).tanh()

    @property
    def reach(self) -> int:
        """Samples on either side of its own on which a sample depends, at most."""
        return max(Reach().through(self.encoder, self.decoder))

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of the last convolution."""
        return matrix(self.decoder[-1])


def encoder(channels: int, width: int, strides: Sequence[int], outputs: int) -> nn.Sequential:
    """[B, channels, T] to [B, outputs, T / product of the strides]."""
    layers: list[nn.Module] = [level(channels, width, 7)]
    for stride in strides:
        layers += [*units(width), Snake(width), down(width, 2 * width, stride)]
        width *= 2
    return nn.Sequential(*layers, Snake(width), level(width, outputs, 3))


def decoder(inputs: int, width: int, strides: Sequence[int], channels: int) -> nn.Sequential:
    """[B, inputs, T] to [B, channels, T * product of the strides]."""
    layers: list[nn.Module] = [level(inputs, width, 7)]
    for stride in strides:
        layers += [Snake(width), up(width, width // 2, stride), *units(width // 2)]
        width //= 2
    return nn.Sequential(*layers, Snake(width), level(width, channels, 7))
