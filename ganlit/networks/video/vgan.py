"""Video GAN, three-dimensional convolutions of one stream: Vondrick et al., arXiv 1609.02612, section 2.1.

By default its networks have the paper's sizes: 32 frames of 64x64.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from ganlit.errors import UserError, within
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check

SIDE, SPAN = 4, 2
"""Rows and columns, and frames at least, of the coarsest layer."""


def strides(frames: int, resolution: int) -> list[int]:
    """In time, of the discriminator's halvings of space: 2 as long as that leaves two frames or more, then 1.

    Raises:
        UserError: there are no such layers.
    """
    count = (resolution // SIDE).bit_length() - 1
    if count < 1 or SIDE << count != resolution:
        raise UserError(f"VGAN: resolution {resolution} is not supported; choose a power of two from 8 on.")
    within("VGAN: frames", frames, least=SPAN, most=2**16)
    found: list[int] = []
    for _ in range(count):
        found.append(2 if frames % 2 == 0 and frames // 2 >= SPAN else 1)
        frames //= found[-1]
    return found


def initialise(module: nn.Module) -> None:
    """Normal weights of deviation 0.01: section 2.3."""
    if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
        nn.init.normal_(module.weight, 0.0, 0.01)
    elif isinstance(module, nn.BatchNorm3d):
        nn.init.normal_(module.weight, 1.0, 0.01)


def shape(stride: int) -> dict[str, tuple[int, int, int]]:
    """Kernel, stride and padding of a layer that halves or doubles space, and time where its stride there is 2."""
    time = (4, 2, 1) if stride == 2 else (3, 1, 1)
    return {
        name: (each, space, space)
        for name, each, space in zip(("kernel_size", "stride", "padding"), time, (4, 2, 1), strict=True)
    }


class ClipGenerator(nn.Module):
    """Fractionally strided convolutions with batch norm and ReLU, tanh at the end.

    Args:
        frames: of a clip, two or more.
        resolution: a power of two.
        channels: 1 for grey clips, 3 for colour.
        classes: 0 for an unconditional generator; otherwise a learned vector of the class stands beside z.
        z_dim: size of the latent.
        width: feature maps at half the resolution; they double at each step down to 4x4.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self,
        frames: int = 32,
        resolution: int = 64,
        channels: int = 3,
        classes: int = 0,
        z_dim: int = 100,
        width: int = 64,
    ) -> None:
        super().__init__()
        check("ClipGenerator", channels=channels, z_dim=z_dim, width=width)
        within("ClipGenerator.classes", classes, least=0, most=2**20)
        self.z_dim, self.classes = z_dim, classes
        steps = strides(frames, resolution)[::-1]
        maps = [width << step for step in reversed(range(len(steps)))]
        first = (frames // math.prod(steps), SIDE, SIDE)
        self.embedding = nn.Embedding(classes, z_dim) if classes else None
        inputs = z_dim * (2 if classes else 1)
        layers: list[nn.Module] = [nn.ConvTranspose3d(inputs, maps[0], first, bias=False)]
        for (before, here), step in zip(pairwise(maps), steps, strict=False):
            layers += [nn.BatchNorm3d(before), nn.ReLU()]
            layers.append(nn.ConvTranspose3d(before, here, bias=False, **shape(step)))
        layers += [nn.BatchNorm3d(maps[-1]), nn.ReLU(), nn.ConvTranspose3d(maps[-1], channels, **shape(steps[-1]))]
        self.layers = nn.Sequential(*layers, nn.Tanh())
        self.apply(initialise)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """Latents [B, z_dim] and labels [B] to clips [B, C, T, H, W]."""
        if self.embedding is not None:
            z = torch.cat([z, self.embedding(label)], dim=1)
        return wide(self.layers(z[:, :, None, None, None]))


class ClipDiscriminator(nn.Module):
    """Strided convolutions with batch norm and leaky ReLU; for classes, a projection.

    Args:
        frames: of a clip, two or more.
        resolution: a power of two.
        channels: 1 for grey clips, 3 for colour.
        classes: 0 for an unconditional discriminator.
        width: feature maps at half the resolution; they double at each step down to 4x4.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self, frames: int = 32, resolution: int = 64, channels: int = 3, classes: int = 0, width: int = 64
    ) -> None:
        super().__init__()
        check("ClipDiscriminator", channels=channels, width=width)
        within("ClipDiscriminator.classes", classes, least=0, most=2**20)
        self.frames, self.resolution, self.classes = frames, resolution, classes
        steps = strides(frames, resolution)
        maps = [width << step for step in range(len(steps))]
        layers: list[nn.Module] = []
        for (before, here), step in zip(pairwise([channels, *maps]), steps, strict=True):
            layers.append(nn.Conv3d(before, here, bias=not layers, **shape(step)))
            layers += [nn.BatchNorm3d(here)] if len(layers) > 1 else []
            layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers)
        last = (frames // math.prod(steps), SIDE, SIDE)
        self.logit = nn.Conv3d(maps[-1], 1, last)
        self.embedding = nn.Embedding(classes, maps[-1]) if classes else None
        self.apply(initialise)

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        """Clips [B, C, T, H, W] and labels [B] to logits [B].

        Raises:
            UserError: they have other frames, or another size.
        """
        refuse_unlike(self, item)
        x = self.layers(item)
        logit = self.logit(x).flatten()
        if self.embedding is not None:  # Miyato and Koyama, arXiv 1802.05637, equation 3
            features = x.mean(dim=(2, 3, 4))
            logit = logit + (features * self.embedding(label)).sum(dim=1) / math.sqrt(features.shape[1])
        return wide(logit)


def refuse_unlike(network: ClipDiscriminator, item: Tensor) -> None:
    """Refuses, with a UserError, clips of other frames or another size than a network was built for."""
    frames, height, width = item.shape[2:]
    wanted = network.frames, network.resolution, network.resolution
    if (frames, height, width) != wanted:
        raise UserError(
            f"ClipDiscriminator takes {wanted[0]} frames of {wanted[1]}x{wanted[2]}, but is shown clips of {frames} of "
            f"{height}x{width}: set its frames and resolution and those of data.init_args alike."
        )
