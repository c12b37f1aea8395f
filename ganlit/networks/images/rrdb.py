"""The generator of ESRGAN, Wang et al., arXiv 1809.00219, section 3.1, which is that of Real-ESRGAN, too."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.networks.images.enlarging import Enlarger, subdued

SHARE = 0.2
"""How much a residual counts beside its input."""


def convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def activation(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees what all before it have found: figure 4."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.conv1 = convolution(width, growth)
        self.conv2 = convolution(width + growth, growth)
        self.conv3 = convolution(width + 2 * growth, growth)
        self.conv4 = convolution(width + 3 * growth, growth)
        self.conv5 = convolution(width + 4 * growth, width)
        self.apply(subdued)

    def forward(self, x: Tensor) -> Tensor:
        found = x
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            found = torch.cat([found, activation(layer(found))], dim=1)
        return x + SHARE * self.conv5(found)


class RRDB(nn.Module):
    """Three dense blocks, each beside its own input, beside the input of all."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = DenseBlock(width, growth)
        self.rdb2 = DenseBlock(width, growth)
        self.rdb3 = DenseBlock(width, growth)

    def forward(self, x: Tensor) -> Tensor:
        return x + SHARE * self.rdb3(self.rdb2(self.rdb1(x)))


class RRDBNet(Enlarger):
    """Dense blocks in great depth, without normalisation, at a quarter of the output's size, or a third at scale 3.

    At scale 2 and 1 the pixels of 2x2 or 4x4 places first become channels of one: Real-ESRGAN, Wang et al., arXiv
    2107.10833, section 3.4. Labels are ignored. Parameters have the names of the authors' BasicSR, so that published
    weights load as they are, by `fit --from`; these are of images in [0, 1], as `unit` says.

    Args:
        source_channels: of the source: 1 for grey images, 3 for colour, 4 for colour and a mask.
        channels: of the output: 1 for grey images, 3 for colour.
        scale: sides of the output over those of the source, 1 to 4.
        blocks: each is three dense blocks.
        width: feature maps between them.
        growth: feature maps that a convolution inside adds.
        unit: whether its layers see and make numbers from 0 to 1, as those of published weights do.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self,
        source_channels: int = 3,
        channels: int = 3,
        scale: int = 4,
        blocks: int = 23,
        width: int = 64,
        growth: int = 32,
        unit: bool = False,
    ) -> None:
        super().__init__(source_channels, channels, scale, unit, blocks=blocks, width=width, growth=growth)
        self.multiple = {1: 4, 2: 2}.get(scale, 1)
        self.factors = (3, 1) if scale == 3 else (2, 2)
        self.conv_first = convolution(source_channels * self.multiple**2, width)
        self.body = nn.Sequential(*(RRDB(width, growth) for _ in range(blocks)))
        self.conv_body = convolution(width, width)
        self.conv_up1 = convolution(width, width)
        self.conv_up2 = convolution(width, width)
        self.conv_hr = convolution(width, width)
        self.conv_last = convolution(width, channels)

    def layered(self, source: Tensor) -> Tensor:
        x = self.conv_first(F.pixel_unshuffle(source, self.multiple))
        x = x + self.conv_body(self.body(x))
        for factor, layer in zip(self.factors, (self.conv_up1, self.conv_up2), strict=True):
            x = activation(layer(F.interpolate(x, scale_factor=factor)))  # each place becomes several alike
        return self.conv_last(activation(self.conv_hr(x)))
