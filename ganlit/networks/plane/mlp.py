"""Networks of points, fully connected: those of PacGAN's bench, Lin et al., arXiv 1712.04086, section 4.1."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganlit.errors import UserError
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check

DEVIATION = 0.02  # of the weights at the start, as in the authors' code


class PlaneGenerator(nn.Module):
    """Linear layers with batch norm and ReLU; the paper's has four of 400.

    Args:
        z_dim: size of the latent.
        width: of the layers inside.
        depth: how many there are.
        classes: 0 ignores the labels; else the class is beside the latent.
        norm: whether there is batch norm.
    """

    def __init__(self, z_dim: int = 2, width: int = 400, depth: int = 4, classes: int = 0, norm: bool = True) -> None:
        super().__init__()
        check("PlaneGenerator", z_dim=z_dim, width=width, depth=depth, classes=classes + 1)
        self.z_dim = z_dim
        self.classes = classes
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([z_dim + classes, *[width] * depth]):
            layers += [
                nn.Linear(inputs, outputs, bias=not norm),
                *([nn.BatchNorm1d(outputs)] if norm else []),
                nn.ReLU(),
            ]
        self.layers = nn.Sequential(*layers, nn.Linear(width, 2))
        self.apply(initialise)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        """Latents [B, z_dim] to points [B, 2]."""
        return self.layers(beside(z, label, self.classes))


class PlaneDiscriminator(nn.Module):
    """Maxout layers (Goodfellow et al., arXiv 1302.4389): the paper's has three of 200, of five pieces each.

    Args:
        channels: 2 of a point; of points that come packed, twice as many as there are in a pack.
        width: of the layers inside.
        depth: how many there are.
        pieces: of which each unit gives the largest.
        classes: 0 ignores the labels; else the class is beside the point.
    """

    def __init__(self, channels: int = 2, width: int = 200, depth: int = 3, pieces: int = 5, classes: int = 0) -> None:
        super().__init__()
        check("PlaneDiscriminator", channels=channels, width=width, depth=depth, pieces=pieces, classes=classes + 1)
        self.channels = channels
        self.classes = classes
        self.pieces = pieces
        sizes = pairwise([channels + classes, *[width] * depth])
        self.layers = nn.ModuleList(nn.Linear(inputs, outputs * pieces) for inputs, outputs in sizes)
        self.last = nn.Linear(width, 1)
        self.apply(initialise)

    def forward(self, point: Tensor, label: Tensor) -> Tensor:
        """Points [B, channels] to logits [B]."""
        if point.shape[1:] != (self.channels,):
            raise UserError(
                f"PlaneDiscriminator.channels is {self.channels}, but it is shown items of {list(point.shape[1:])}: "
                "set it to 2 for points, and to twice as many as there are in a pack."
            )
        x = beside(point, label, self.classes)
        for layer in self.layers:
            x = layer(x).unflatten(1, (-1, self.pieces)).amax(2)
        return wide(self.last(x)[:, 0])


def initialise(module: nn.Module) -> None:
    """Normal weights of deviation 0.02 and no biases, as in the authors' code."""
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0.0, DEVIATION)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def beside(x: Tensor, label: Tensor, classes: int) -> Tensor:
    """The class [B], as zeros and a one, beside items [B, C], where any are known."""
    return torch.cat([x, one_hot(label, classes).to(x)], 1) if classes else x
