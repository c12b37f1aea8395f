"""The generator of CycleGAN: Zhu et al., arXiv 1703.10593, appendix 7.2, after Johnson et al., arXiv 1603.08155."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.networks.images.convolutions import Norm, initialise, normalisation, refuse_source
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check


def mirrored(inputs: int, outputs: int, kernel: int, norm: Norm) -> list[nn.Module]:
    """A convolution of images that go on as in a mirror, and its normalisation."""
    options = {"padding": kernel // 2, "padding_mode": "reflect", "bias": norm != "batch"}
    return [nn.Conv2d(inputs, outputs, kernel, **options), *normalisation(norm, outputs)]


class ResNetBlock(nn.Module):
    """Two 3x3 convolutions, beside the input."""

    def __init__(self, maps: int, norm: Norm) -> None:
        super().__init__()
        self.residual = nn.Sequential(*mirrored(maps, maps, 3, norm), nn.ReLU(), *mirrored(maps, maps, 3, norm))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.residual(x)


class Thinning(nn.Module):
    """Every second pixel, after the low-pass filter [1, 2, 1]: Zhang, arXiv 1904.11486."""

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), 2, stride=1), 2)


def halving(maps: int, norm: Norm, filtered: bool) -> list[nn.Module]:
    """Twice the maps at half the resolution."""
    convolution = nn.Conv2d(maps, 2 * maps, 3, 1 if filtered else 2, 1, bias=norm != "batch")
    return [convolution, *normalisation(norm, 2 * maps), nn.ReLU(), *([Thinning()] if filtered else [])]


def doubling(maps: int, norm: Norm, filtered: bool) -> list[nn.Module]:
    """Half the maps at twice the resolution; interpolation is the filter [1, 3, 3, 1]."""
    bias = norm != "batch"
    layers: list[nn.Module] = [nn.ConvTranspose2d(maps, maps // 2, 3, 2, 1, output_padding=1, bias=bias)]
    if filtered:
        layers = [nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(maps, maps // 2, 3, padding=1, bias=bias)]
    return [*layers, *normalisation(norm, maps // 2), nn.ReLU()]


class ResNetGenerator(nn.Module):
    """Residual blocks at a quarter of the resolution, between two halvings and two doublings; labels are ignored.

    Args:
        source_channels: of the source: 1 for grey images, 3 for colour.
        channels: of the output.
        blocks: 9 in the paper, and 6 for images of 128 pixels or less.
        width: feature maps at the full resolution.
        norm: instance normalisation, which has no weights, or that of batches; or none.
        filtered: keep high frequencies from turning into false low ones where the resolution changes.

    Raises:
        UserError: an argument is out of its range.
    """

    classes = 0
    scale = 1
    multiple = 4
    least = 8  # a mirror at a quarter of it takes two pixels

    def __init__(
        self,
        source_channels: int = 3,
        channels: int = 3,
        blocks: int = 9,
        width: int = 64,
        norm: Norm = "instance",
        filtered: bool = False,
    ) -> None:
        super().__init__()
        check(type(self).__name__, source_channels=source_channels, channels=channels, blocks=blocks, width=width)
        self.source_channels, self.channels = source_channels, channels
        self.encoder = nn.Sequential(
            *mirrored(source_channels, width, 7, norm),
            nn.ReLU(),
            *halving(width, norm, filtered),
            *halving(2 * width, norm, filtered),
            *(ResNetBlock(4 * width, norm) for _ in range(blocks)),
        )
        self.decoder = nn.Sequential(
            *doubling(4 * width, norm, filtered),
            *doubling(2 * width, norm, filtered),
            *mirrored(width, channels, 7, "none"),
        )
        self.apply(initialise)

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        """Images [B, source_channels, H, W] to images [B, channels, H, W].

        Raises:
            UserError: they have other channels, or their sides are no multiples of 4, from 8 on.
        """
        refuse_source(self, source, self.least)
        return wide(self.decoder(self.encoder(source))).tanh()

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of the last convolution."""
        return self.decoder[-1].weight
