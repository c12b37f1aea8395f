"""DCGAN, the smallest pair: Radford et al., arXiv 1511.06434, section 3 and figure 1."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from ganlit.errors import UserError
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check


def doublings(resolution: int) -> int:
    """How often 4x4 doubles to reach the resolution."""
    count = (resolution // 4).bit_length() - 1
    if count < 1 or 4 << count != resolution:
        raise UserError(f"DCGAN: resolution {resolution} is not supported; choose a power of two from 8 on.")
    return count


def initialise(module: nn.Module) -> None:
    """Normal weights of deviation 0.02: section 4."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


class DCGenerator(nn.Module):
    """Fractionally strided convolutions with batch norm and ReLU, tanh at the end; labels are ignored.

    Args:
        resolution: a power of two.
        channels: 1 for grey images, 3 for colour.
        z_dim: size of the latent.
        width: feature maps at half the final resolution; they double at each step down to 4x4.
    """

    classes = 0

    def __init__(self, resolution: int, channels: int = 3, z_dim: int = 100, width: int = 64) -> None:
        super().__init__()
        check("DCGenerator", channels=channels, z_dim=z_dim, width=width)
        self.z_dim = z_dim
        steps = doublings(resolution)
        maps = [width << step for step in reversed(range(steps))]
        layers: list[nn.Module] = [nn.ConvTranspose2d(z_dim, maps[0], 4, bias=False)]
        layers += [nn.BatchNorm2d(maps[0]), nn.ReLU()]
        for inputs, outputs in pairwise(maps):
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(maps[-1], channels, 4, 2, 1), nn.Tanh())
        self.apply(initialise)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """Latents [B, z_dim] to images [B, C, H, W]."""
        return self.layers(z[:, :, None, None])


class DCDiscriminator(nn.Module):
    """Strided convolutions with batch norm and leaky ReLU; labels are ignored.

    Args:
        resolution: a power of two.
        channels: 1 for grey images, 3 for colour.
        width: feature maps at half the resolution of the images; they double at each step down to 4x4.
    """

    def __init__(self, resolution: int, channels: int = 3, width: int = 64) -> None:
        super().__init__()
        check("DCDiscriminator", channels=channels, width=width)
        self.resolution = resolution
        maps = [width << step for step in range(doublings(resolution))]
        layers: list[nn.Module] = [nn.Conv2d(channels, maps[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for inputs, outputs in pairwise(maps):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(maps[-1], 1, 4))
        self.apply(initialise)

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """Images [B, C, H, W] to logits [B]."""
        if image.shape[-1] != self.resolution:  # it would give a logit for each place
            raise UserError(
                f"DCDiscriminator.resolution is {self.resolution}, but it is shown images of {image.shape[-1]}: set it "
                "and data.init_args.resolution alike."
            )
        return wide(self.layers(image).flatten())
