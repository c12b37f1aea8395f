"""The discriminator of SRGAN, Ledig et al., arXiv 1609.04802, figure 4, as ESRGAN's authors build it."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from ganlit.errors import UserError
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check


def layer(inputs: int, outputs: int, halving: bool, norm: bool = True) -> list[nn.Module]:
    kernel, stride = (4, 2) if halving else (3, 1)
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=1, bias=not norm)
    return [convolution, *([nn.BatchNorm2d(outputs)] if norm else []), nn.LeakyReLU(0.2)]


class VGGDiscriminator(nn.Module):
    """Pairs of convolutions with batch normalisation, of which the second halves, and two layers; labels are ignored.

    ESRGAN's code, arXiv 1809.00219, halves by kernels of 4x4 and has 100 hidden units, where SRGAN has 3x3 and 1,024.

    Args:
        resolution: of the images, such as 96 in SRGAN and 128 in ESRGAN.
        channels: of what it is shown: 1 for grey images, 3 for colour, more where source and target are joined.
        width: feature maps of the first pair; they double with each, up to eight times as many.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, resolution: int = 128, channels: int = 3, width: int = 64) -> None:
        super().__init__()
        check("VGGDiscriminator", resolution=resolution, channels=channels, width=width)
        halvings = (resolution // 4).bit_length() - 1
        if halvings < 1 or resolution % (1 << halvings):
            raise UserError(
                f"VGGDiscriminator.resolution is {resolution}: it must be 8 or more and halve down to 4, 5, 6 or 7, "
                "as 96 and 128 do."
            )
        self.resolution = resolution
        maps = [width * min(2**step, 8) for step in range(halvings)]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([channels, *maps]):
            layers += layer(inputs, outputs, halving=False, norm=bool(layers))  # the first layer has none
            layers += layer(outputs, outputs, halving=True)
        self.layers = nn.Sequential(
            *layers,
            nn.Flatten(),
            nn.Linear(maps[-1] * (resolution >> halvings) ** 2, 100),
            nn.LeakyReLU(0.2),
            nn.Linear(100, 1),
        )

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        """Images [B, C, H, W] to logits [B].

        Raises:
            UserError: they have another resolution.
        """
        height, width = item.shape[-2:]
        if (height, width) != (self.resolution, self.resolution):
            raise UserError(
                f"VGGDiscriminator.resolution is {self.resolution}, but it is shown images of {height}x{width}: set it "
                "and the size of the targets alike."
            )
        return wide(self.layers(item)[:, 0])
