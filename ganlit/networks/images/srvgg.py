"""The small generator of Real-ESRGAN, Wang et al., arXiv 2107.10833: SRVGGNetCompact of the authors' code."""

from __future__ import annotations

from torch import Tensor, nn

from ganlit.networks.images.enlarging import Enlarger


class SRVGG(Enlarger):
    """Convolutions in a row at the size of the source, which correct its enlarged pixels; labels are ignored.

    A grey source is repeated for each channel; of one with more channels, such as a mask behind the image, the first
    are corrected. Parameters have the names of the authors' code, so that published weights load as they are, by
    `fit --from`; these are of images in [0, 1], as `unit` says.

    Args:
        source_channels: of the source: 1 for grey images, 3 for colour, 4 for colour and a mask.
        channels: of the output: 1 for grey images, 3 for colour.
        scale: sides of the output over those of the source, 1 to 4.
        convolutions: between the first and the last.
        width: feature maps.
        unit: whether its layers see and make numbers from 0 to 1, as those of published weights do.

    Raises:
        UserError: an argument is out of its range, or they do not fit one another.
    """

    corrects = "nearest"

    def __init__(
        self,
        source_channels: int = 3,
        channels: int = 3,
        scale: int = 4,
        convolutions: int = 16,
        width: int = 64,
        unit: bool = False,
    ) -> None:
        super().__init__(source_channels, channels, scale, unit, convolutions=convolutions, width=width)
        layers: list[nn.Module] = []
        for inputs in [source_channels] + [width] * convolutions:
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.PReLU(width)]
        self.body = nn.Sequential(*layers, nn.Conv2d(width, channels * scale**2, 3, padding=1), nn.PixelShuffle(scale))

    def layered(self, source: Tensor) -> Tensor:
        return self.body(source)
