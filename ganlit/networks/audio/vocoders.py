"""What vocoders share that fill in, stage by stage, what lies between the frames of a spectrogram."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import pairwise

from torch import Tensor, nn

from ganlit.errors import UserError, within
from ganlit.networks.audio.convolutions import level, matrix
from ganlit.networks.audio.reach import Reach
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check

Block = Callable[[int, int, Sequence[int]], nn.Module]
"""Of feature maps, a kernel and dilations makes what takes [B, maps, T] to the same."""


class Vocoder(nn.Module, ABC):
    """Mel spectrograms to sound, by stages that lengthen, each with residual blocks side by side; labels are ignored.

    Parameters have the names of HiFi-GAN's code, so that published weights load as they are. A subclass says what its
    stages are, and what is done before them and before the end.

    Args:
        bands: of a spectrogram.
        channels: of the sound, each of which has bands of its own.
        width: feature maps before the first stage; each halves them.
        strides: of the stages, whose product is the samples a frame.
        kernels: of the blocks of a stage.
        dilations: of each of these blocks, its convolutions one after the other.
        block: makes one of them.

    Raises:
        UserError: an argument is out of its range, or they do not fit one another.
    """

    classes = 0

    multiple = 1
    """Of which the frames of a spectrogram are multiples."""

    def __init__(
        self,
        bands: int,
        channels: int,
        width: int,
        strides: Sequence[int],
        kernels: Sequence[int],
        dilations: Sequence[Sequence[int]],
        block: Block,
    ) -> None:
        super().__init__()
        refuse(type(self).__name__, bands, channels, width, strides, kernels, dilations)
        self.bands, self.channels = bands, channels
        self.scale = math.prod(strides)
        self.conv_pre = level(bands * channels, width, 7)
        maps = [width >> place for place in range(len(strides) + 1)]
        stages = zip(pairwise(maps), strides, strict=True)
        self.ups = nn.ModuleList(self.lengthened(*ends, stride) for ends, stride in stages)
        blocks = list(zip(kernels, dilations, strict=True))
        self.resblocks = nn.ModuleList(block(size, *each) for size in maps[1:] for each in blocks)
        self.conv_post = level(maps[-1], channels, 7)

    @abstractmethod
    def lengthened(self, inputs: int, outputs: int, stride: int) -> nn.Module:
        """[B, inputs, T] to [B, outputs, T * stride]."""

    def before(self, x: Tensor) -> Tensor:
        """What is done before each stage lengthens."""
        return x

    @property
    @abstractmethod
    def last(self) -> nn.Module:
        """What is done before the last convolution."""

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        """Spectrograms [B, channels * bands, F] to sound [B, channels, F * scale].

        Raises:
            UserError: they have other bands.
        """
        if source.shape[1] != self.bands * self.channels:
            raise UserError(
                f"{type(self).__name__} takes spectrograms of {self.bands * self.channels} bands, but is shown some of "
                f"{source.shape[1]}: set bands, or those of the data, to the other."
            )
        x = self.conv_pre(source)
        for stage, (first, *others) in self.stages:
            x = stage(self.before(x))
            x = sum((block(x) for block in others), first(x)) / (1 + len(others))
        return wide(self.conv_post(self.last(x))).tanh()

    @property
    def stages(self) -> list[tuple[nn.Module, list[nn.Module]]]:
        """Of each what lengthens, and the blocks side by side behind it."""
        beside = len(self.resblocks) // len(self.ups)
        blocks = [list(self.resblocks[place : place + beside]) for place in range(0, len(self.resblocks), beside)]
        return list(zip(self.ups, blocks, strict=True))

    @property
    def reach(self) -> int:
        """Frames on either side of its own on which a sample depends, at most."""
        seen = Reach().through(self.last, self.conv_post)
        for stage, blocks in reversed(self.stages):
            seen = reduce(Reach.joined, map(seen.through, blocks)).through(stage)
        return max(seen.through(self.conv_pre))

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of the last convolution."""
        return matrix(self.conv_post)


def refuse(
    network: str,
    bands: int,
    channels: int,
    width: int,
    strides: Sequence[int],
    kernels: Sequence[int],
    dilations: Sequence[Sequence[int]],
) -> None:
    """Refuses sizes of which no vocoder can be made.

    Raises:
        UserError: one of them is out of its range, or they do not fit one another.
    """
    check(network, bands=bands, channels=channels)
    for name, sizes in {"strides": strides, "kernels": kernels, "dilations": dilations}.items():
        if not sizes:
            raise UserError(f"{network}.{name} is empty: name some, as the default does.")
    for stride in strides:
        within(f"{network}.strides", stride, least=2, most=2**10)
    if width < 1 or width % (1 << len(strides)):
        raise UserError(
            f"{network}.width is {width}, which {len(strides)} stages cannot halve: set it to a multiple of "
            f"{1 << len(strides)}."
        )
    within(f"{network}.width", width, most=2**20)
    for kernel in kernels:
        within(f"{network}.kernels", kernel, least=1, most=2**10)
        if kernel % 2 == 0:
            raise UserError(f"{network}.kernels has {kernel}: it must be odd, so that lengths are kept.")
    if len(kernels) != len(dilations):
        raise UserError(
            f"{network}.kernels are of {len(kernels)} blocks and dilations of {len(dilations)}: name as many of both."
        )
    for each in dilations:
        for dilation in each:
            within(f"{network}.dilations", dilation, least=1, most=2**10)
