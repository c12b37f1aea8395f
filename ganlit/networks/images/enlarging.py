"""What networks share that make an image of another, as large or several times as large."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.errors import UserError, within
from ganlit.networks.images.convolutions import refuse_source
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check


class Enlarger(nn.Module, ABC):
    """Images to images whose sides are `scale` times as long; labels are ignored.

    Args:
        source_channels: of the source.
        channels: of the output.
        scale: sides of the output over those of the source, 1 to 4.
        unit: whether its layers see and make numbers from 0 to 1, as those of published weights do.
        sizes: what else has to be 1 or more, by name.

    Raises:
        UserError: an argument is out of its range, or they do not fit one another.
    """

    classes = 0

    multiple = 1
    """Of which the sides of a source are multiples."""

    corrects: ClassVar[Literal["nearest", "bilinear"] | None] = None
    """By which interpolation the source becomes the image that the layers only add to; none where they make it all."""

    def __init__(self, source_channels: int, channels: int, scale: int, unit: bool = False, **sizes: int) -> None:
        super().__init__()
        name = type(self).__name__
        within(f"{name}.scale", scale, least=1, most=4)
        check(name, source_channels=source_channels, channels=channels, **sizes)
        if self.corrects and 1 < source_channels < channels:
            raise UserError(
                f"{name}.source_channels is {source_channels}, but it corrects the source to an image of {channels}: "
                f"give it 1, which is repeated, or {channels} or more, of which the first are corrected."
            )
        self.source_channels, self.channels, self.scale, self.unit = source_channels, channels, scale, unit

    @abstractmethod
    def layered(self, source: Tensor) -> Tensor:
        """What the layers make of images [B, S, H, W], [B, C, scale * H, scale * W]."""

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        """Images [B, S, H, W] to images [B, C, scale * H, scale * W].

        Raises:
            UserError: they have other channels, or sides that are no multiples of what they have to be.
        """
        refuse_source(self, source, least=1)
        seen = (source + 1) / 2 if self.unit else source
        image = wide(self.layered(seen))
        image = image + self.enlarged(seen) if self.corrects else image
        return image * 2 - 1 if self.unit else image

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of the last convolution."""
        return [layer.weight for layer in self.modules() if isinstance(layer, nn.Conv2d)][-1]

    def enlarged(self, source: Tensor) -> Tensor:
        """The image to correct: grey for each channel, and the first channels of more, such as of image and mask."""
        image = source.expand(-1, self.channels, -1, -1) if self.source_channels == 1 else source[:, : self.channels]
        return F.interpolate(image, scale_factor=self.scale, mode=self.corrects)


def subdued(module: nn.Module) -> None:
    """A tenth of Kaiming's normal weights, no bias: deep networks learn where residuals begin small.

    ESRGAN, Wang et al., arXiv 1809.00219, section 3.1; the factor is that of the authors' code.
    """
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight)
        module.weight.data *= 0.1
        nn.init.zeros_(module.bias)
