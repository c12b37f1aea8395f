"""The generator of BigVGAN: Lee et al., arXiv 2206.04658, section 3, appendix A."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from ganlit.networks.audio.activations import Quiet, Snake
from ganlit.networks.audio.convolutions import level, up
from ganlit.networks.audio.vocoders import Vocoder


def periodic(maps: int, height: bool) -> Quiet:
    return Quiet(Snake(maps, height, logarithmic=True))


class PeriodicBlock(nn.Module):
    """Residual dilated convolutions, a plain one behind each, with periodic activations: "AMPBlock1" of their code."""

    def __init__(self, maps: int, kernel: int, dilations: Sequence[int], height: bool) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(level(maps, maps, kernel, each) for each in dilations)
        self.convs2 = nn.ModuleList(level(maps, maps, kernel) for _ in dilations)
        self.activations = nn.ModuleList(periodic(maps, height) for _ in range(2 * len(dilations)))

    def forward(self, x: Tensor) -> Tensor:
        acts = zip(self.activations[::2], self.activations[1::2], strict=True)
        for first, second, (one, other) in zip(self.convs1, self.convs2, acts, strict=True):
            x = second(other(first(one(x)))) + x
        return x


class BigVGenerator(Vocoder):
    """Mel spectrograms to sound, with activations that repeat themselves and fold back little; labels are ignored.

    By default it is BigVGAN-base of 24 kHz and 100 bands. BigVGAN itself has `width: 1536` and `strides: [4, 4, 2, 2,
    2, 2]`. A sample depends on 18 frames on either side of its own, there on 38.

    Args:
        bands: of a spectrogram.
        channels: of the sound, each of which has bands of its own.
        width: feature maps before the first stage; each halves them.
        strides: of the stages, whose product is the samples a frame.
        kernels: of the blocks of a stage, side by side.
        dilations: of each of these blocks.
        height: learn how strong activations are beside their frequency: "snakebeta" of their code, or else "snake".

    Raises:
        UserError: an argument is out of its range, or they do not fit one another.
    """

    def __init__(
        self,
        bands: int = 100,
        channels: int = 1,
        width: int = 512,
        strides: Sequence[int] = (8, 8, 2, 2),
        kernels: Sequence[int] = (3, 7, 11),
        dilations: Sequence[Sequence[int]] = ((1, 3, 5), (1, 3, 5), (1, 3, 5)),
        height: bool = True,
    ) -> None:
        block = partial(PeriodicBlock, height=height)
        super().__init__(bands, channels, width, strides, kernels, dilations, block)
        self.activation_post = periodic(self.conv_post.in_channels, height)

    def lengthened(self, inputs: int, outputs: int, stride: int) -> nn.Module:
        return nn.Sequential(up(inputs, outputs, stride))

    @property
    def last(self) -> nn.Module:
        return self.activation_post
