"""The generator of HiFi-GAN: Kong et al., arXiv 2010.05646, section 2.2, figure 1, appendix A."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.networks.audio.convolutions import level, up
from ganlit.networks.audio.vocoders import Vocoder

SLOPE = 0.1


def activation(x: Tensor) -> Tensor:
    return F.leaky_relu(x, SLOPE)


class PairedBlock(nn.Module):
    """Residual dilated convolutions, a plain one behind each: "ResBlock1" of the authors' code."""

    def __init__(self, maps: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(level(maps, maps, kernel, each) for each in dilations)
        self.convs2 = nn.ModuleList(level(maps, maps, kernel) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for first, second in zip(self.convs1, self.convs2, strict=True):
            x = second(activation(first(activation(x)))) + x
        return x


class SingleBlock(nn.Module):
    """Residual dilated convolutions: "ResBlock2" of the authors' code."""

    def __init__(self, maps: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(level(maps, maps, kernel, each) for each in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for convolution in self.convs:
            x = convolution(activation(x)) + x
        return x


class HiFiGenerator(Vocoder):
    """Mel spectrograms to sound, by transposed convolutions and residual blocks of several fields; labels are ignored.

    By default it is the paper's V1. V2 has `width: 128`. V3 has `width: 256`, `strides: [8, 8, 4]`, `kernels: [3, 5,
    7]`, `dilations: [[1, 2], [2, 6], [3, 12]]` and `paired: false`. A sample depends on 13 frames on either side of its
    own (V1 and V2), or 11 (V3). Weights begin as torch's own do, under weight norm, as they do in the authors' code.

    Args:
        bands: of a spectrogram.
        channels: of the sound, each of which has bands of its own.
        width: feature maps before the first stage; each halves them.
        strides: of the stages, whose product is the samples a frame.
        kernels: of the blocks of a stage, side by side.
        dilations: of each of these blocks.
        paired: have a plain convolution behind each dilated one.

    Raises:
        UserError: an argument is out of its range, or they do not fit one another.
    """

    def __init__(
        self,
        bands: int = 80,
        channels: int = 1,
        width: int = 512,
        strides: Sequence[int] = (8, 8, 2, 2),
        kernels: Sequence[int] = (3, 7, 11),
        dilations: Sequence[Sequence[int]] = ((1, 3, 5), (1, 3, 5), (1, 3, 5)),
        paired: bool = True,
    ) -> None:
        block = PairedBlock if paired else SingleBlock
        super().__init__(bands, channels, width, strides, kernels, dilations, block)

    def lengthened(self, inputs: int, outputs: int, stride: int) -> nn.Module:
        return up(inputs, outputs, stride)

    def before(self, x: Tensor) -> Tensor:
        return activation(x)

    @property
    def last(self) -> nn.Module:
        return nn.LeakyReLU()  # of torch's own slope, as in the authors' code
