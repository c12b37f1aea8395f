"""A small variational autoencoder whose decoder is DCGAN's generator: Kingma and Welling, arXiv 1312.6114."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from ganlit.contracts import Made
from ganlit.networks.images.blocks import Normalisation
from ganlit.networks.images.dcgan import DCGenerator, doublings
from ganlit.networks.images.likelihoods import DiscretisedNormal, GreyBernoulli
from ganlit.networks.posterior import Posterior
from ganlit.networks.sizes import check


class ConvVAE(nn.Module):
    """Strided convolutions to a flat latent, and DCGAN's generator back; labels are ignored.

    Beside its output it hands out "posterior", over [B, z_dim], and "likelihood", over images [B, C, H, W].

    Args:
        resolution: a power of two.
        channels: 1 for grey images, 3 for colour.
        z_dim: size of the latent.
        width: feature maps at half the resolution, in encoder and decoder; they double at each step down to 4x4.
        likelihood: "gaussian" counts 8-bit values around the output with one learned deviation for all pixels, the
            optimal sigma of arXiv 2006.13202; "bernoulli" reads grey as how often a pixel is white.

    Raises:
        UserError: an argument is out of its range.
    """

    classes = 0

    def __init__(
        self,
        resolution: int,
        channels: int = 3,
        z_dim: int = 64,
        width: int = 64,
        likelihood: Literal["gaussian", "bernoulli"] = "gaussian",
    ) -> None:
        super().__init__()
        check("ConvVAE", channels=channels, z_dim=z_dim, width=width)
        self.z_dim = z_dim
        self.log_scale = nn.Parameter(torch.tensor(math.log(0.3))) if likelihood == "gaussian" else None
        maps = [width << step for step in range(doublings(resolution))]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([channels, *maps]):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), Normalisation(outputs), nn.LeakyReLU(0.2)]
        self.encoder = nn.Sequential(*layers, nn.Conv2d(maps[-1], 2 * z_dim, 4), nn.Flatten())
        self.posterior = Posterior()
        self.decoder = DCGenerator(resolution, channels, z_dim, width)

    def forward(self, source: Tensor, label: Tensor) -> Made:
        """Images [B, C, H, W] to the means of images like them."""
        latent, side = self.encode(source, label)
        output = self.decode(latent, label)
        return Made(output, {**side, "likelihood": self.likelihood(output)})

    def encode(self, source: Tensor, label: Tensor) -> Made:
        """Images to latents [B, z_dim]: drawn from the posterior in training, elsewhere its mean."""
        return self.posterior(self.encoder(source))

    def decode(self, latent: Tensor, label: Tensor) -> Tensor:
        """Latents [B, z_dim] to images."""
        return self.decoder(latent, label)

    def likelihood(self, output: Tensor) -> Distribution:
        """Over images [B, C, H, W], where these are expected."""
        return GreyBernoulli(output) if self.log_scale is None else DiscretisedNormal(output, self.log_scale.exp())

    def prior(self, label: Tensor) -> Tensor:
        """Latents [B, z_dim] for labels [B], standard normal."""
        return torch.randn(len(label), self.z_dim, device=label.device)

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of the last convolution."""
        return next(layer for layer in reversed(self.decoder.layers) if isinstance(layer, nn.ConvTranspose2d)).weight
