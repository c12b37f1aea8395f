"""The autoencoders of VQGAN, arXiv 2012.09841, and of latent diffusion, arXiv 2112.10752, appendix G."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganlit.contracts import Made
from ganlit.errors import UserError, within
from ganlit.networks.images.blocks import Decoder, Encoder
from ganlit.networks.layers import wide
from ganlit.networks.posterior import Posterior
from ganlit.networks.quantizers import Quantizer


def check(network: str, resolution: int, attention: Sequence[int], multipliers: Sequence[int], **sizes: int) -> None:
    """Refuses sizes of which no autoencoder can be made.

    Raises:
        UserError: one of them is too small, or they do not fit one another.
    """
    for name, size in {"resolution": resolution, **sizes}.items():
        within(f"{network}.{name}", size, least=1, most=2**20)
    if not multipliers:
        raise UserError(f"{network}.multipliers is empty: name one for each resolution, such as 1, 2, 4.")
    for each in multipliers:
        within(f"{network}.multipliers", each, least=1, most=2**10)
    if resolution % (1 << len(multipliers) - 1):
        raise UserError(
            f"{network}.resolution is {resolution}, which cannot be halved {len(multipliers) - 1} times, as it is for "
            f"{len(multipliers)} multipliers: set it to a multiple of {1 << len(multipliers) - 1}."
        )
    there = [resolution >> step for step in range(len(multipliers))]
    for each in attention:
        if each not in there:
            raise UserError(f"{network}.attention is at {each}, but the resolutions are {', '.join(map(str, there))}.")


class Autoencoder(nn.Module):
    """Images to a latent of a lower resolution, and back; labels are ignored.

    Args:
        bottleneck: makes the latent [B, z_dim, h, w] from what the encoder says, [B, moments, h, w], and gives `Made`.
        moments: channels that the encoder ends in.
        z_dim: channels of the latent.
        bounded: end in tanh.
        sizes: those of `Encoder` and `Decoder`, by name.
    """

    classes = 0

    def __init__(
        self, bottleneck: nn.Module, moments: int, z_dim: int, bounded: bool, **sizes: int | Sequence[int]
    ) -> None:
        super().__init__()
        check(type(self).__name__, z_dim=z_dim, **sizes)
        self.factor = 1 << len(sizes["multipliers"]) - 1
        self.bounded = bounded
        self.encoder = Encoder(outputs=moments, **sizes)
        self.before = nn.Conv2d(moments, moments, 1)
        self.bottleneck = bottleneck
        self.after = nn.Conv2d(z_dim, z_dim, 1)
        self.decoder = Decoder(inputs=z_dim, **sizes)

    @property
    def multiple(self) -> int:
        """Of which the sides of images must be."""
        return self.factor

    def forward(self, source: Tensor, label: Tensor) -> Made:
        """Images [B, C, H, W] to images like them."""
        latent, side = self.encode(source, label)
        return Made(self.decode(latent, label), side)

    def encode(self, source: Tensor, label: Tensor) -> Made:
        """Images [B, C, H, W] to latents [B, z_dim, H / factor, W / factor], and what the bottleneck hands out.

        Raises:
            UserError: they cannot be halved as often as that takes.
        """
        height, width = source.shape[-2:]
        if height % self.factor or width % self.factor:
            raise UserError(
                f"{type(self).__name__} takes images whose sides are multiples of {self.factor}, but is shown some of "
                f"{height}x{width}: bring them to such a size, or take fewer multipliers."
            )
        return self.bottleneck(self.before(self.encoder(source)))

    def decode(self, latent: Tensor, label: Tensor) -> Tensor:
        """Latents [B, z_dim, h, w] to images [B, C, h * factor, w * factor]."""
        image = wide(self.decoder(self.after(latent.to(self.after.weight.dtype))))
        return image.tanh() if self.bounded else image

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of the last convolution."""
        return self.decoder[-1].weight


class KLAutoencoder(Autoencoder):
    """With a normal posterior over its latents, handed out as "posterior": that of latent diffusion.

    Args:
        resolution: of the images.
        channels: 1 for grey images, 3 for colour.
        z_dim: channels of the latent.
        width: feature maps at the full resolution, times the first multiplier.
        multipliers: of the maps at each resolution, which halves from one to the next: three give f4, four f8.
        blocks: residual blocks at each resolution; the decoder has one more.
        attention: resolutions at which there is attention; the lowest always has it in the middle.
        bounded: end in tanh, for data that fills its range, such as strokes on black.

    Raises:
        UserError: an argument is out of its range, or they do not fit one another.
    """

    def __init__(
        self,
        resolution: int,
        channels: int = 3,
        z_dim: int = 4,
        width: int = 128,
        multipliers: Sequence[int] = (1, 2, 4, 4),
        blocks: int = 2,
        attention: Sequence[int] = (),
        bounded: bool = False,
    ) -> None:
        super().__init__(
            Posterior(),
            2 * z_dim,
            z_dim,
            bounded,
            resolution=resolution,
            channels=channels,
            width=width,
            multipliers=multipliers,
            blocks=blocks,
            attention=attention,
        )


class VQAutoencoder(Autoencoder):
    """With a quantizer between encoder and decoder, which hands out "codes" and what its learning needs: VQGAN.

    Args:
        quantizer: gives the latent its codes; the size of its vectors is that of the latent.
        resolution: of the images.
        channels: 1 for grey images, 3 for colour.
        width: feature maps at the full resolution, times the first multiplier.
        multipliers: of the maps at each resolution, which halves from one to the next: three give f4, five f16.
        blocks: residual blocks at each resolution; the decoder has one more.
        attention: resolutions at which there is attention; the lowest always has it in the middle.
        bounded: end in tanh, for data that fills its range, such as strokes on black.
        uniform: have a prior, under which all codes are equally likely everywhere: the poorest that there is.

    Raises:
        UserError: an argument is out of its range, or they do not fit one another.
    """

    def __init__(
        self,
        quantizer: Quantizer,
        resolution: int,
        channels: int = 3,
        width: int = 128,
        multipliers: Sequence[int] = (1, 1, 2, 2, 4),
        blocks: int = 2,
        attention: Sequence[int] = (),
        bounded: bool = False,
        uniform: bool = False,
    ) -> None:
        super().__init__(
            quantizer,
            quantizer.dim,
            quantizer.dim,
            bounded,
            resolution=resolution,
            channels=channels,
            width=width,
            multipliers=multipliers,
            blocks=blocks,
            attention=attention,
        )
        self.codes = quantizer.codes
        self.side = resolution // self.factor
        if uniform:
            self.prior = self.equally_likely

    def embedded(self, codes: Tensor) -> Tensor:
        """Codes [B, h, w] to latents [B, z_dim, h, w]."""
        return self.bottleneck.embedded(codes)

    def equally_likely(self, label: Tensor) -> Tensor:
        """Latents [B, z_dim, h, w] for labels [B], of codes that are drawn one by one."""
        return self.embedded(torch.randint(self.codes, (len(label), self.side, self.side), device=label.device))
