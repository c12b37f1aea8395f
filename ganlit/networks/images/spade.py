"""A generator for maps of labels: SPADE, Park et al., arXiv 1903.07291, section 3, appendix A, without an encoder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from ganlit.errors import within
from ganlit.networks.images.convolutions import Norm, initialise, normalisation, refuse_source
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check


class Modulation(nn.Module):
    """Maps normalised without weights, then scaled and shifted, each place by what the source says there.

    Equation 1; the scale is one and what the source adds to it, as in the authors' code, so that it begins near one.
    """

    def __init__(self, maps: int, source_channels: int, hidden: int, norm: Norm) -> None:
        super().__init__()
        self.normalisation = nn.Sequential(*normalisation(norm, maps, affine=False))
        self.reader = nn.Sequential(
            nn.Conv2d(source_channels, hidden, 3, padding=1), nn.ReLU(), nn.Conv2d(hidden, 2 * maps, 3, padding=1)
        )
        self.apply(initialise)

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        """[B, maps, h, w] to the same, by a source [B, C, H, W] of any size."""
        scale, shift = self.reader(F.interpolate(source, x.shape[-2:])).chunk(2, dim=1)
        return self.normalisation(x) * (1 + scale) + shift


class ModulatedLayer(nn.Module):
    """Modulation, ReLU, and a 3x3 convolution whose largest singular value is one: Miyato et al., arXiv 1802.05957.

    As in the authors' code, what reads the source has no such bound, which would leave it little to say.
    """

    def __init__(self, inputs: int, outputs: int, modulation: Callable[[int], Modulation]) -> None:
        super().__init__()
        self.modulation = modulation(inputs)
        convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
        initialise(convolution)
        self.convolution = spectral_norm(convolution)

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        return self.convolution(self.modulation(x, source).relu())


class ModulatedBlock(nn.Module):
    """Two layers beside the input, which passes one where the maps change: figure 4."""

    def __init__(self, inputs: int, outputs: int, modulation: Callable[[int], Modulation]) -> None:
        super().__init__()
        self.first = ModulatedLayer(inputs, outputs, modulation)
        self.second = ModulatedLayer(outputs, outputs, modulation)
        self.skip = ModulatedLayer(inputs, outputs, modulation) if inputs != outputs else None

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        beside = x if self.skip is None else self.skip(x, source)
        return beside + self.second(self.first(x, source), source)


class SPADEGenerator(nn.Module):
    """Begins with the source in small, and is told at every size what stands where; classes of whole images it ignores.

    Spectral norms are estimated better with each call in training, so that micro-batches are not exactly one batch;
    ranks are.

    Args:
        source_channels: of the source: 1 or 3 where labels are colours, else one for each label.
        channels: of the output: 1 for grey images, 3 for colour.
        depth: how often it doubles; the paper's 6 make 256x256 of 4x4, 3 make 32x32.
        width: feature maps at the full resolution; they double with each halving, up to sixteen times as many.
        hidden: feature maps by which a layer reads the source.
        norm: that of batches, or of each image alone; or none.

    Raises:
        UserError: an argument is out of its range.
    """

    classes = 0
    scale = 1

    def __init__(
        self,
        source_channels: int = 3,
        channels: int = 3,
        depth: int = 6,
        width: int = 64,
        hidden: int = 128,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        check("SPADEGenerator", source_channels=source_channels, channels=channels, width=width, hidden=hidden)
        within("SPADEGenerator.depth", depth, least=1, most=16)
        self.source_channels, self.channels = source_channels, channels
        self.multiple = 1 << depth
        maps = [width * min(1 << step, 16) for step in reversed(range(depth + 1))]
        modulation = partial(Modulation, source_channels=source_channels, hidden=hidden, norm=norm)
        self.first = nn.Conv2d(source_channels, maps[0], 3, padding=1)
        self.blocks = nn.ModuleList(ModulatedBlock(*sizes, modulation) for sizes in pairwise([maps[0], *maps]))
        self.last = nn.Conv2d(maps[-1], channels, 3, padding=1)
        for convolution in (self.first, self.last):
            initialise(convolution)

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        """Maps of labels [B, source_channels, H, W] to images [B, channels, H, W].

        Raises:
            UserError: they have other channels, or cannot be halved as often as that takes.
        """
        refuse_source(self, source, 2 * self.multiple, "bring them to such a size, or take less depth")
        height, width = source.shape[-2:]
        x = self.first(F.interpolate(source, (height // self.multiple, width // self.multiple)))
        for place, block in enumerate(self.blocks):
            x = block(F.interpolate(x, scale_factor=2) if place else x, source)
        return wide(self.last(x)).tanh()

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of the last convolution."""
        return self.last.weight
