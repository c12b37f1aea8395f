"""StyleGAN-lite: the generator with skips and the residual discriminator of StyleGAN2, arXiv 1912.04958, figure 7.

What is left out of the paper is its CUDA kernels; what is added is an optional bound on the output, and classes.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from ganlit.errors import UserError, within
from ganlit.networks.layers import (
    GAIN,
    EqualConv2d,
    EqualLinear,
    Filter,
    MinibatchStd,
    ModulatedConv2d,
    Noise,
    activation,
    last,
    normalize,
    wide,
)

LARGEST = 2**20
"""Of any number of maps, classes or layers."""


def resolutions(final: int) -> list[int]:
    """4, 8, ... up to the resolution of the images."""
    if final not in (16, 32, 64, 128, 256, 512, 1024):
        raise UserError(f"StyleGAN: resolution {final} is not supported; choose a power of two from 16 to 1024.")
    return [2**k for k in range(2, int(math.log2(final)) + 1)]


def width(resolution: int, base: int, most: int) -> int:
    """Feature maps at a resolution: `base` counts those times the resolution, `most` caps them."""
    return min(base // resolution, most)


def check(network: str, resolution: int, classes: int, channel_base: int, channel_max: int, **sizes: int) -> None:
    """Refuses sizes of which no network can be made.

    Raises:
        UserError: one of them is too small, or larger than any that was ever meant.
    """
    resolutions(resolution)
    within(f"{network}.classes", classes, least=0, most=LARGEST)
    within(f"{network}.channel_base", channel_base, least=resolution, most=LARGEST)
    for name, size in {"channel_max": channel_max, **sizes}.items():
        within(f"{network}.{name}", size, least=1, most=LARGEST)


class Mapping(nn.Module):
    """Latent and class to a style: f of the paper, behind normalised inputs.

    Args:
        classes: 0 for an unconditional network; otherwise a learned vector of the class stands beside z.
        depth: hidden layers.
    """

    def __init__(self, z_dim: int, w_dim: int, classes: int, depth: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, z_dim) if classes else None
        widths = [z_dim * (2 if classes else 1)] + [w_dim] * depth
        self.layers = nn.ModuleList(
            EqualLinear(inputs, outputs, lr_multiplier=0.01, gain=GAIN) for inputs, outputs in pairwise(widths)
        )

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        x = normalize(z)
        if self.embedding is not None:
            x = torch.cat([x, normalize(self.embedding(label))], dim=1)
        for layer in self.layers:
            x = activation(layer(x))
        return x


class StyledLayer(nn.Module):
    """Modulated 3x3 convolution, noise, bias, activation."""

    def __init__(self, inputs: int, outputs: int, w_dim: int, up: bool = False) -> None:
        super().__init__()
        self.convolution = ModulatedConv2d(inputs, outputs, 3, w_dim, up=up, gain=GAIN)
        self.noise = Noise(GAIN)
        self.bias = nn.Parameter(torch.zeros(outputs, 1, 1))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        x = self.noise(self.convolution(x, w))
        return activation(x + (self.bias * GAIN).to(x.dtype))


class ToImage(nn.Module):
    """Modulated 1x1 convolution to the image's channels, not demodulated."""

    def __init__(self, inputs: int, channels: int, w_dim: int) -> None:
        super().__init__()
        self.convolution = ModulatedConv2d(inputs, channels, 1, w_dim, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return wide(self.convolution(x, w)) + self.bias


class StyleGenerator(nn.Module):
    """Mapping network and synthesis network with skips.

    Args:
        resolution: a power of two from 16 to 1024.
        channels: 1 for grey images, 3 for colour.
        classes: 0 for an unconditional generator.
        z_dim: size of the latent.
        w_dim: size of the style.
        mapping_depth: layers of the mapping network.
        channel_base: feature maps times resolution.
        channel_max: the most feature maps of a layer.
        style_mixing: share of training images whose later layers take the style of a second latent.
        bounded: end in tanh, for data that fills its range, such as strokes on black.
    """

    def __init__(
        self,
        resolution: int,
        channels: int = 3,
        classes: int = 0,
        z_dim: int = 512,
        w_dim: int = 512,
        mapping_depth: int = 8,
        channel_base: int = 16384,
        channel_max: int = 512,
        style_mixing: float = 0.9,
        bounded: bool = False,
    ) -> None:
        super().__init__()
        sizes = {"channels": channels, "z_dim": z_dim, "w_dim": w_dim, "mapping_depth": mapping_depth}
        check(type(self).__name__, resolution, classes, channel_base, channel_max, **sizes)
        within(f"{type(self).__name__}.style_mixing", style_mixing, least=0, most=1)
        self.z_dim = z_dim
        self.classes = classes
        self.style_mixing = style_mixing
        self.bounded = bounded
        self.mapping = Mapping(z_dim, w_dim, classes, mapping_depth)
        self.register_buffer("w_mean", torch.zeros(max(classes, 1), w_dim))

        sizes = resolutions(resolution)
        widths = [width(size, channel_base, channel_max) for size in sizes]
        self.constant = nn.Parameter(torch.randn(1, widths[0], 4, 4))
        self.layers = nn.ModuleList([StyledLayer(widths[0], widths[0], w_dim)])
        for inputs, outputs in pairwise(widths):
            self.layers.append(StyledLayer(inputs, outputs, w_dim, up=True))
            self.layers.append(StyledLayer(outputs, outputs, w_dim))
        self.to_image = nn.ModuleList(ToImage(maps, channels, w_dim) for maps in widths)
        self.filter = Filter()

    def forward(self, z: Tensor, label: Tensor, truncation: float = 1.0) -> Tensor:
        """Latents [B, z_dim] and labels [B] to images [B, C, H, W].

        Args:
            truncation: psi; below one, styles are drawn towards the mean style of their class: fewer failures,
                less variety (StyleGAN, arXiv 1812.04948, appendix B).
        """
        return self.synthesise(self.styles(z, label, truncation))

    def styles(self, z: Tensor, label: Tensor, truncation: float = 1.0) -> Tensor:
        """Latents [B, z_dim] and labels [B] to one style a layer, [B, layers + 1, w_dim]; mixed in training."""
        w = self.mapping(z, label)
        if self.training:
            self._follow_mean(w, label)
        styles = w[:, None].expand(-1, len(self.layers) + 1, -1)
        if self.training and self.style_mixing > 0:
            styles = self._mix(styles, self.mapping(torch.randn_like(z), label))
        if truncation != 1:
            mean = self.w_mean[label if len(self.w_mean) > 1 else torch.zeros_like(label)]
            styles = mean[:, None] + truncation * (styles - mean[:, None])
        return styles

    def synthesise(self, styles: Tensor) -> Tensor:
        """Styles [B, layers + 1, w_dim] to images; the last one is that of the final image layer alone."""
        return self.drawn(self.constant.expand(len(styles), -1, -1, -1), styles)

    def drawn(self, x: Tensor, styles: Tensor) -> Tensor:
        """The same from what the first layer takes, [B, maps, 4, 4]."""
        x = self.layers[0](x, styles[:, 0])
        image = self.to_image[0](x, styles[:, 1])
        for block in range(1, len(self.to_image)):
            first = 2 * block - 1
            x = self.layers[first](x, styles[:, first])
            x = self.layers[first + 1](x, styles[:, first + 1])
            image = self.filter.up(image) + self.to_image[block](x, styles[:, first + 2])
        return image.tanh() if self.bounded else image

    @torch.no_grad()
    def _follow_mean(self, w: Tensor, label: Tensor, momentum: float = 0.995) -> None:
        """Moves the mean style of each class towards the batch's: truncation needs it later."""
        rows = label if len(self.w_mean) > 1 else torch.zeros_like(label)
        with torch.autocast(w.device.type, enabled=False):
            member = rows[:, None] == torch.arange(len(self.w_mean), device=rows.device)
            counts = member.sum(dim=0)[:, None]
            sums = member.T.to(self.w_mean) @ wide(w).to(self.w_mean)
        self.w_mean.lerp_(torch.where(counts > 0, sums / counts.clamp(min=1), self.w_mean), 1 - momentum)

    def _mix(self, styles: Tensor, other: Tensor) -> Tensor:
        """Gives a share of the images, from a random layer on, another style: arXiv 1812.04948, section 3.1."""
        batch, layers, _ = styles.shape
        crossover = torch.randint(1, layers, (batch, 1), device=styles.device)
        crossover[torch.rand(batch, device=styles.device) >= self.style_mixing] = layers
        later = torch.arange(layers, device=styles.device) >= crossover
        return torch.where(later[:, :, None], other[:, None], styles)


class ResidualBlock(nn.Module):
    """Two convolutions, the second of which halves the resolution, beside a filtered 1x1 skip: their sum over GAIN."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = EqualConv2d(inputs, inputs, 3, gain=GAIN)
        self.second = EqualConv2d(inputs, outputs, 3, down=True)  # the gain of an activation, over the same
        self.skip = EqualConv2d(inputs, outputs, 1, down=True, bias=False, gain=1 / GAIN)

    def forward(self, x: Tensor) -> Tensor:
        return activation(self.second(activation(self.first(x)))) + self.skip(x)


class StyleDiscriminator(nn.Module):
    """Residual discriminator with minibatch standard deviation and, for classes, a projection.

    Args:
        resolution: a power of two from 16 to 1024.
        channels: 1 for grey images, 3 for colour.
        classes: 0 for an unconditional discriminator.
        channel_base: feature maps times resolution.
        channel_max: the most feature maps of a layer.
        minibatch_group: images compared by the minibatch standard deviation where there are no classes.
    """

    def __init__(
        self,
        resolution: int,
        channels: int = 3,
        classes: int = 0,
        channel_base: int = 16384,
        channel_max: int = 512,
        minibatch_group: int = 4,
    ) -> None:
        super().__init__()
        sizes = {"channels": channels, "minibatch_group": minibatch_group}
        check(type(self).__name__, resolution, classes, channel_base, channel_max, **sizes)
        self.classes = classes
        sizes = resolutions(resolution)[::-1]
        widths = [width(size, channel_base, channel_max) for size in sizes]
        self.from_image = EqualConv2d(channels, widths[0], 1, gain=GAIN)
        self.blocks = nn.ModuleList(ResidualBlock(inputs, outputs) for inputs, outputs in pairwise(widths))
        self.minibatch_std = MinibatchStd(classes, minibatch_group)
        self.last = EqualConv2d(widths[-1] + 1, widths[-1], 3, gain=GAIN)
        self.features = EqualLinear(widths[-1] * 16, widths[-1], gain=GAIN)
        self.logit = EqualLinear(widths[-1], 1)
        self.embedding = nn.Embedding(classes, widths[-1]) if classes else None

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """Images [B, C, H, W] and labels [B] to logits [B]."""
        x = activation(self.from_image(last(image)))
        for block in self.blocks:
            x = block(x)
        x = activation(self.last(self.minibatch_std(x, label)))
        features = activation(self.features(x.flatten(1)))
        logit = self.logit(features)[:, 0]
        if self.embedding is not None:  # Miyato and Koyama, arXiv 1802.05637, equation 3
            logit = logit + (features * self.embedding(label)).sum(dim=1) / math.sqrt(features.shape[1])
        return wide(logit)
