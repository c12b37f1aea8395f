"""The discriminator of Projected GAN, which looks through a trained network: Sauer et al., arXiv 2111.01007."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from ganlit.contracts import Judgement, Sight
from ganlit.errors import UserError, within
from ganlit.networks.images.convolutions import normed
from ganlit.networks.layers import activation, wide
from ganlit.networks.several import together
from ganlit.networks.sizes import check

PLACES = 4
"""A side of what each network ends with: a logit for each of 4 x 4 patches."""


class ProjectedDiscriminator(nn.Module):
    """Several small networks, each of which judges images by what a trained network sees at one depth.

    What it sees is mixed at random, across channels and then from the coarsest depth up (section 3.2), so that none of
    those that judge can rest on a few features alone; neither the trained network nor the mixture ever learns. Each
    that judges is normalised by its spectrum, which is estimated better with each call in training, so that
    micro-batches are not exactly one batch; ranks are. It has no batch normalisation, as against the authors'.

    The trained network is no part of checkpoints. Distances of features may flatter what was trained by features of a
    similar network: Kynkäänniemi et al., arXiv 2203.06026.

    Args:
        sight: the trained network.
        resolution: of a side to which images are brought before they are seen.
        depths: of the finest layers, how many are judged by.
        classes: 0 for an unconditional discriminator.
        width: feature maps after the first halving; they double twice.

    Raises:
        UserError: an argument is out of its range, or the weights are not there and cannot be downloaded.
    """

    def __init__(
        self,
        sight: Sight,
        resolution: int = 224,
        depths: int = 4,
        classes: int = 0,
        width: int = 64,
    ) -> None:
        super().__init__()
        check("ProjectedDiscriminator", resolution=resolution, depths=depths, width=width)
        within("ProjectedDiscriminator.classes", classes, least=0)
        self.resolution, self.depths, self.classes = resolution, depths, classes
        self.sight = sight
        seen = sight.inside(noise(resolution))[:depths]
        if len(seen) < depths:
            raise UserError(
                f"ProjectedDiscriminator.depths is {depths}, but its sight has {len(seen)} at a resolution of "
                f"{resolution}: set it to less, or resolution to more."
            )
        maps = [each.shape[1] for each in seen]
        self.mixing = Mixing(maps, [float(each.square().mean().rsqrt()) for each in seen])
        self.networks = nn.ModuleList(
            Judge(count, halvings(each.shape[-1]), classes, width) for count, each in zip(maps, seen, strict=True)
        )

    def forward(self, item: Tensor, label: Tensor) -> Judgement:
        """Images [B, C, H, W] and labels [B] to logits [B, h, w] of each network, that of the finest depth first."""
        if item.shape[-2:] != (self.resolution, self.resolution):
            item = F.interpolate(item, [self.resolution] * 2, mode="bilinear", antialias=True)
        seen = [each.to(item.dtype) for each in self.sight.inside(item)[: self.depths]]
        mixed = self.mixing(seen)
        return together(network(each, label) for network, each in zip(self.networks, mixed, strict=True))


def noise(side: int) -> Tensor:
    """An image [1, 3, H, W] by which it is found how large features are; it is always the same."""
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def halvings(side: int) -> int:
    """How often a side is halved on the way to `PLACES`."""
    return max(0, math.ceil(math.log2(side / PLACES)))


class Mixing(nn.Module):
    """Features at several depths, mixed by convolutions that stay as they are drawn: section 3.2.

    Args:
        channels: of each depth, the finest first.
        gains: factor of each, which brings it to a variance of about one: networks at all depths see as much.
    """

    def __init__(self, channels: list[int], gains: list[float]) -> None:
        super().__init__()
        self.across = nn.ModuleList(drawn(maps, maps, 1, gain) for maps, gain in zip(channels, gains, strict=True))
        self.upwards = nn.ModuleList(drawn(coarse, fine, 3) for fine, coarse in pairwise(channels))

    def forward(self, seen: list[Tensor]) -> list[Tensor]:
        """Features [B, C, h, w], the finest first, to as many of the same shapes."""
        mixed = [across(each) for across, each in zip(self.across, seen, strict=True)]
        for depth in reversed(range(len(self.upwards))):
            below = F.interpolate(mixed[depth + 1], mixed[depth].shape[-2:], mode="bilinear")
            mixed[depth] = mixed[depth] + self.upwards[depth](below)
        return mixed


class Judge(nn.Module):
    """Halves features until there are about 4 x 4 places, and gives each a logit.

    Args:
        channels: of the features.
        steps: how often they are halved.
        classes: 0 for none.
        width: feature maps after the first halving; they double twice.
    """

    def __init__(self, channels: int, steps: int, classes: int, width: int) -> None:
        super().__init__()
        *maps, most = channels, *(width << min(step, 2) for step in range(steps + 1))
        self.halving = nn.ModuleList(normed(inputs, outputs, 4, 2) for inputs, outputs in pairwise(maps))
        self.last = normed(maps[-1], most, 3)
        self.logits = normed(most, 1, 1)
        self.embedding = spectral_norm(nn.Embedding(classes, most)) if classes else None

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Features [B, C, h, w] and labels [B] to logits [B, h, w]."""
        for layer in self.halving:
            x = activation(layer(x))
        x = activation(self.last(x))
        logits = self.logits(x)[:, 0]
        if self.embedding is not None:  # Miyato and Koyama, arXiv 1802.05637, equation 3
            logits = logits + torch.einsum("bchw,bc->bhw", x, self.embedding(label))
        return wide(logits)


def drawn(inputs: int, outputs: int, kernel: int, gain: float = 1.0) -> nn.Conv2d:
    """A convolution that never learns, which multiplies deviations by about `gain`."""
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    nn.init.normal_(layer.weight, std=gain / math.sqrt(inputs * kernel**2))
    return layer.requires_grad_(False)
