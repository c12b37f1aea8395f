"""From an image to the styles that make it in one pass: an encoder before a generator that has learnt already."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from ganlit.contracts import Made
from ganlit.errors import within
from ganlit.networks.images.stylegan import LARGEST, ResidualBlock, StyleGenerator, resolutions, width
from ganlit.networks.layers import GAIN, EqualConv2d, EqualLinear, activation, last, wide
from ganlit.networks.resting import at_rest


class StyleEncoder(StyleGenerator):
    """A generator behind an encoder of images, whose answer is a style and, for each layer, an offset from it.

    So does e4e, Tov et al., arXiv 2102.02766, section 4.1, but by the trunk of a discriminator, with all offsets from
    the first step on, and without a discriminator of styles. The generator's parts are called as in StyleGenerator: so
    `from` takes them over from its run, `fresh: generator.encoder` begins the encoder, and `train` names it alone. It
    sees no classes: whatever class an image has, its style says.

    Beside images it hands out the "offsets" [B, layers + 1, w_dim] of their styles; in training also, of as many images
    that it makes from noise, the styles that they are made of, "asked", and those found of them, "found", as large.

    Args:
        encoder_base: feature maps of the encoder, times resolution.
        encoder_max: the most feature maps of one of its layers.
        generator: resolution and all else, as in StyleGenerator.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, encoder_base: int = 16384, encoder_max: int = 512, **generator: Any) -> None:
        super().__init__(**generator)
        resolution, channels = 4 << len(self.layers) // 2, len(self.to_image[0].bias)
        within("StyleEncoder.encoder_base", encoder_base, least=resolution, most=LARGEST)
        within("StyleEncoder.encoder_max", encoder_max, least=1, most=LARGEST)
        self.own_classes = max(self.classes, 1)  # of what the generator makes
        self.classes = 0  # of what is encoded
        w_dim, layers = self.w_mean.shape[1], len(self.layers) + 1
        self.encoder = ToStyles(resolution, channels, w_dim, layers, encoder_base, encoder_max)

    def forward(self, source: Tensor, label: Tensor) -> Made:
        """Images [B, C, H, W] to images like them."""
        latent, side = self.encode(source, label)
        if self.training:
            side = {**side, **self.again(label)}
        return Made(self.decode(latent, label), side)

    def encode(self, source: Tensor, label: Tensor) -> Made:
        """Images to styles [B, layers + 1, w_dim]."""
        style, offsets = self.encoder(source)
        return Made(style[:, None] + offsets, {"offsets": offsets})

    def decode(self, latent: Tensor, label: Tensor) -> Tensor:
        """Styles to images."""
        return self.synthesise(latent)

    def again(self, label: Tensor) -> dict[str, Tensor]:
        """The styles of images from noise, of random classes, as many as labels [B], and those that are found."""
        with torch.no_grad(), at_rest(self):
            own = torch.randint_like(label, self.own_classes)
            asked = self.styles(torch.randn(len(label), self.z_dim, device=label.device), own)
            images = self.synthesise(asked)
        return {"asked": asked, "found": self.encode(images, label).output}


class ToStyles(nn.Module):
    """Residual blocks as in StyleDiscriminator, from images down to 4x4, to one style and to offsets, which begin at 0.

    Args:
        layers: that have a style.
        base: feature maps times resolution.
        most: feature maps of a layer.
    """

    def __init__(self, resolution: int, channels: int, w_dim: int, layers: int, base: int, most: int) -> None:
        super().__init__()
        sizes = resolutions(resolution)[::-1]
        widths = [width(size, base, most) for size in sizes]
        self.from_image = EqualConv2d(channels, widths[0], 1, gain=GAIN)
        self.blocks = nn.ModuleList(ResidualBlock(inputs, outputs) for inputs, outputs in pairwise(widths))
        self.features = EqualLinear(widths[-1] * 16, widths[-1], gain=GAIN)
        self.style = EqualLinear(widths[-1], w_dim)
        self.offsets = EqualLinear(widths[-1], layers * w_dim)
        nn.init.zeros_(self.offsets.weight)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Images [B, C, H, W] to styles [B, w_dim] and offsets [B, layers, w_dim]."""
        x = activation(self.from_image(last(image)))
        for block in self.blocks:
            x = block(x)
        features = activation(self.features(x.flatten(1)))
        style = wide(self.style(features))
        return style, wide(self.offsets(features)).unflatten(1, (-1, style.shape[1]))
