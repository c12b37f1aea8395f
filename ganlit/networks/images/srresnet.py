"""The generator of SRGAN, Ledig et al., arXiv 1609.04802, and what became of it without batch normalisation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from ganlit.networks.images.enlarging import Enlarger, subdued

STEPS: dict[int, tuple[int, ...]] = {1: (), 2: (2,), 3: (3,), 4: (2, 2)}
"""By the scale, the factors by which the maps grow one after another."""


class Residual(nn.Sequential):
    """What its layers find, beside the input."""

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


def convolution(inputs: int, outputs: int, kernel: int = 3, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)


def normed(width: int) -> list[nn.Module]:
    return [convolution(width, width, bias=False), nn.BatchNorm2d(width)]


def growth(width: int, scale: int, activation: Callable[[], nn.Module]) -> list[nn.Module]:
    """Convolutions to several times as many maps, which become pixels: Shi et al., arXiv 1609.05158."""
    layers: list[nn.Module] = []
    for factor in STEPS[scale]:
        layers += [convolution(width, width * factor**2), nn.PixelShuffle(factor), activation()]
    return layers


class SRResNet(Enlarger):
    """Residual blocks with batch normalisation at the size of the source: figure 4; labels are ignored.

    Args:
        source_channels: of the source: 1 for grey images, 3 for colour, 4 for colour and a mask.
        channels: of the output: 1 for grey images, 3 for colour.
        scale: sides of the output over those of the source, 1 to 4.
        blocks: residual blocks.
        width: feature maps.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self, source_channels: int = 3, channels: int = 3, scale: int = 4, blocks: int = 16, width: int = 64
    ) -> None:
        super().__init__(source_channels, channels, scale, blocks=blocks, width=width)
        activation = partial(nn.PReLU, width)
        body = [Residual(*normed(width), activation(), *normed(width)) for _ in range(blocks)]
        self.layers = nn.Sequential(
            convolution(source_channels, width, kernel=9),
            activation(),
            Residual(*body, *normed(width)),
            *growth(width, scale, activation),
            convolution(width, channels, kernel=9),
        )

    def layered(self, source: Tensor) -> Tensor:
        return self.layers(source)


class MSRResNet(Enlarger):
    """Residual blocks without normalisation, which correct the bilinear image; labels are ignored.

    The modified SRResNet of ESRGAN's authors in their BasicSR; its blocks are those of EDSR, Lim et al., arXiv
    1707.02921, figure 2. A grey source is repeated for each channel; of one with more channels, such as a mask behind
    the image, the first are corrected.

    Args:
        source_channels: of the source: 1 for grey images, 3 for colour, 4 for colour and a mask.
        channels: of the output: 1 for grey images, 3 for colour.
        scale: sides of the output over those of the source, 1 to 4.
        blocks: residual blocks.
        width: feature maps.

    Raises:
        UserError: an argument is out of its range, or they do not fit one another.
    """

    corrects = "bilinear"

    def __init__(
        self, source_channels: int = 3, channels: int = 3, scale: int = 4, blocks: int = 16, width: int = 64
    ) -> None:
        super().__init__(source_channels, channels, scale, blocks=blocks, width=width)
        activation = partial(nn.LeakyReLU, 0.1)
        self.layers = nn.Sequential(
            convolution(source_channels, width),
            activation(),
            *(Residual(convolution(width, width), nn.ReLU(), convolution(width, width)) for _ in range(blocks)),
            *growth(width, scale, activation),
            convolution(width, width),
            activation(),
            convolution(width, channels),
        )
        self.apply(subdued)

    def layered(self, source: Tensor) -> Tensor:
        return self.layers(source)
