"""Two published generators as the latent tools take them: adapters for `latent adopt`, whose README has the commands.

Their layers are written down once more, with the names that their weights have, so that no code of theirs is run.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot


def enlarging(inputs: int, *maps: int, rest: float = 0.0) -> nn.Sequential:
    """DCGAN's generator of PyTorch's tutorial; `rest` is the share of maps that a dropout behind the first takes."""
    layers: list[nn.Module] = []
    for given, made in pairwise((inputs, *maps)):
        layers += [nn.ConvTranspose2d(given, made, 4, *((2, 1) if layers else ()), bias=False), nn.BatchNorm2d(made)]
        layers += [nn.ReLU(), nn.Dropout(rest)] if rest and given == inputs else [nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(maps[-1], 3, 4, 2, 1, bias=False), nn.Tanh())


class Faces(nn.Module):
    """gan-face-generate 1.1.1: faces at 64x64 that were trained on rendered ones."""

    z_dim, classes = 100, 0

    def __init__(self) -> None:
        super().__init__()
        self.main = enlarging(100, 512, 256, 128, 64)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return self.main(z[:, :, None, None])


class Eyes(nn.Module):
    """omniart-eye-generator 0.1: painted eyes at 128x128, amber, blue, brown, gray, grayscale, green, hazel, red."""

    z_dim, classes = 100, 8

    def __init__(self) -> None:
        super().__init__()
        self.main = enlarging(108, 1024, 512, 256, 128, 64, rest=0.2)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return self.main(torch.cat([z, one_hot(label, 8).to(z)], 1)[:, :, None, None])
