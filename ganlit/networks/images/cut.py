"""The generator of CUT, contrastive unpaired translation: Park et al., arXiv 2007.15651, section 3 and appendix C.1."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.contracts import Made
from ganlit.networks.images.convolutions import Norm, initialise
from ganlit.networks.images.resnet import ResNetBlock, ResNetGenerator
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check

SHORTEST = 1e-4
"""Vectors below this length stay shorter than one: those of grey without any colour begin at zero, where a direction
would have a slope without bound."""


class CUTGenerator(ResNetGenerator):
    """CycleGAN's generator, by whose own encoder patches of its output are compared with those of its source.

    That encoder is looked into at five depths: pixels, both halvings, the first and the middle residual block. What is
    found there passes a small network, H of the paper, which belongs to the generator and learns with it.

    Beside its output it hands out "patches", its method of that name, and "translate", which makes outputs [B, C, H, W]
    of other images. Filters around each change of resolution give patches the sizes that the paper names.

    Args:
        channels: of source and output: 1 for grey images, 3 for colour.
        blocks: as in `ResNetGenerator`, and so are the next two.
        width: feature maps at the full resolution.
        norm: instance normalisation, which has no weights, or that of batches; or none.
        features: size of the vector that stands for a patch.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(
        self, channels: int = 3, blocks: int = 9, width: int = 64, norm: Norm = "instance", features: int = 256
    ) -> None:
        super().__init__(channels, channels, blocks, width, norm, filtered=True)
        check("CUTGenerator", features=features)
        halvings = [place for place, layer in enumerate(self.encoder) if isinstance(layer, nn.Conv2d)][1:]
        residual = [place for place, layer in enumerate(self.encoder) if isinstance(layer, ResNetBlock)]
        self.depths = sorted({*halvings, residual[0], residual[blocks // 2]})
        maps = [channels, 2 * width, *[4 * width] * (len(self.depths) - 1)]
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(found, features), nn.ReLU(), nn.Linear(features, features)) for found in maps
        )
        self.heads.apply(initialise)

    def forward(self, source: Tensor, label: Tensor) -> Made:
        """Images [B, C, H, W] to images of the other kind."""

        def translate(images: Tensor) -> Tensor:
            return ResNetGenerator.forward(self, images, label)

        return Made(translate(source), {"patches": self.patches, "translate": translate})

    def patches(self, images: Tensor, places: int | Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """What patches of images look like to the encoder, at each depth.

        Args:
            images: [B, C, H, W].
            places: how many to draw at each depth, the same for all images and none twice, as far as there are so many;
                or which, as an earlier call has given them.

        Returns:
            Vectors of length one [B, S, features] of each depth, and the S places [S] among the h * w that are there.
        """
        maps = self.inside(images)
        if isinstance(places, int):
            places = [torch.randperm(each[0, 0].numel(), device=each.device)[:places] for each in maps]
        rows = [each.permute(0, 2, 3, 1).flatten(1, 2)[:, some] for each, some in zip(maps, places, strict=True)]
        vectors = [
            F.normalize(wide(head(row)), dim=2, eps=SHORTEST) for head, row in zip(self.heads, rows, strict=True)
        ]
        return vectors, list(places)

    def inside(self, images: Tensor) -> list[Tensor]:
        """The feature maps [B, c, h, w] at each depth, pixels first."""
        x, found = images, [images]
        for place, layer in enumerate(self.encoder[: self.depths[-1] + 1]):
            x = layer(x)
            if place in self.depths:
                found.append(x)
        return found
