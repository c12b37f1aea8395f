"""The generator of pix2pix: Isola et al., arXiv 1611.07004, sections 3.2 and 3.2.1, appendix 6.1.1."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.errors import within
from ganlit.networks.images.convolutions import Norm, initialise, normalisation, refuse_source
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check

NOISY = 3
"""Decoder layers with dropout, counted from the innermost."""

When = Literal["always", "training", "none"]


class LastingDropout(nn.Dropout):
    """Dropout that goes on in evaluation: it is the only noise that pix2pix has."""

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.p)


DROPOUT: dict[When, list[type[nn.Dropout]]] = {"always": [LastingDropout], "training": [nn.Dropout], "none": []}


class UNet(nn.Module):
    """Halves images again and again, doubles them as often, and joins what has one size; labels are ignored.

    In evaluation batch normalisation takes running statistics, so that no image depends on those beside it. The paper's
    are those of the image alone, at its batch of one: norm "instance".

    Args:
        source_channels: of the source: 1 for grey images, 3 for colour.
        channels: of the output.
        depth: how often it halves; the paper's 8 bring 256x256 to one place that sees everything, 5 do so with 32x32.
        width: feature maps at half the resolution; they double with each halving, up to eight times as many.
        norm: batch or instance normalisation, the latter without weights, but not of the innermost maps; or none.
        dropout: when half the maps of the three innermost decoder layers are left out: "always" is the paper's, whose
            answers differ from draw to draw; else "training" or "none".

    Raises:
        UserError: an argument is out of its range.
    """

    classes = 0
    scale = 1

    def __init__(
        self,
        source_channels: int = 3,
        channels: int = 3,
        depth: int = 8,
        width: int = 64,
        norm: Norm = "batch",
        dropout: When = "always",
    ) -> None:
        super().__init__()
        check("UNet", source_channels=source_channels, channels=channels, width=width)
        within("UNet.depth", depth, least=1, most=16)
        self.source_channels, self.channels = source_channels, channels
        self.multiple = 1 << depth
        maps = [width * min(1 << step, 8) for step in range(depth)]
        bias, innermost = norm != "batch", depth - 1
        self.encoder = nn.ModuleList()
        for step, (inputs, outputs) in enumerate(pairwise([source_channels, *maps])):
            layer = [nn.LeakyReLU(0.2)] if step else []
            layer.append(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=bias))
            self.encoder.append(
                nn.Sequential(*layer, *normalisation(norm if 0 < step < innermost else "none", outputs))
            )
        self.decoder = nn.ModuleList()
        for step, (inputs, outputs) in enumerate(pairwise([*maps[::-1], channels])):
            joined = 2 * inputs if step else inputs
            layer = [nn.ReLU(), nn.ConvTranspose2d(joined, outputs, 4, 2, 1, bias=bias or step == innermost)]
            if step < innermost:
                layer += normalisation(norm, outputs)
                layer += [kind(0.5) for kind in DROPOUT[dropout]] if step < NOISY else []
            self.decoder.append(nn.Sequential(*layer))
        self.apply(initialise)

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        """Images [B, source_channels, H, W] to images [B, channels, H, W].

        Raises:
            UserError: they have other channels, or cannot be halved as often.
        """
        refuse_source(self, source, self.multiple, "bring them to such a size, or take less depth")
        x, skips = source, []
        for layer in self.encoder:
            x = layer(x)
            skips.append(x)
        x = self.decoder[0](skips.pop())
        for layer in self.decoder[1:]:
            x = layer(torch.cat([skips.pop(), x], dim=1))
        return wide(x).tanh()

    @property
    def last_layer(self) -> nn.Parameter:
        """The weight of the last convolution."""
        return self.decoder[-1][-1].weight
