"""The discriminator of pix2pix, which judges patches: Isola et al., arXiv 1611.07004, section 3.2.2, appendix 6.1.2."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from ganlit.contracts import Judgement
from ganlit.errors import UserError
from ganlit.networks.images.convolutions import Norm, initialise, normalisation
from ganlit.networks.layers import wide
from ganlit.networks.sizes import check

HALVINGS = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}
"""By the side of a patch, how often its network halves the resolution."""


class PatchDiscriminator(nn.Module):
    """Convolutions with leaky ReLU, of which each answer sees a patch of the image alone; labels are ignored.

    Args:
        channels: of what it is shown: 1 for grey images, 3 for colour, more where source and target are joined.
        field: side of a patch in pixels, 1, 16, 34, 70, 142 or 286; images must be at least a third as large.
        norm: batch or instance normalisation, the latter without weights, between first and last layer; or none.
        width: feature maps of the first layer; they double with each, up to eight times as many.

    Raises:
        UserError: an argument is out of its range.
    """

    def __init__(self, channels: int = 3, field: int = 70, norm: Norm = "instance", width: int = 64) -> None:
        super().__init__()
        check("PatchDiscriminator", channels=channels, width=width)
        if field not in HALVINGS:
            known = ", ".join(map(str, HALVINGS))
            raise UserError(f"PatchDiscriminator.field is {field}: it must be one of {known}.")
        self.field = field
        self.smallest = 1 if field == 1 else 3 << HALVINGS[field]  # side of an image that it takes
        strides = [1, 1] if field == 1 else [2] * HALVINGS[field] + [1]
        kernel, padding = (1, 0) if field == 1 else (4, 1)
        maps = [width * min(2**layer, 8) for layer in range(len(strides))]
        self.layers = nn.ModuleList()
        for place, (inputs, outputs) in enumerate(pairwise([channels, *maps])):
            between = norm if place else "none"  # the first layer has none
            convolution = nn.Conv2d(inputs, outputs, kernel, strides[place], padding, bias=between != "batch")
            self.layers.append(nn.Sequential(convolution, *normalisation(between, outputs), nn.LeakyReLU(0.2)))
        self.logits = nn.Conv2d(maps[-1], 1, kernel, 1, padding)
        self.apply(initialise)

    def forward(self, item: Tensor, label: Tensor) -> Judgement:
        """Images [B, C, H, W] to a logit for each patch, [B, h, w], and what each layer before has found in them."""
        if min(item.shape[-2:]) < self.smallest:
            raise UserError(
                f"PatchDiscriminator.field is {self.field}, which takes images of {self.smallest} pixels or more, but "
                f"it is shown some of {min(item.shape[-2:])}: set it to less."
            )
        features = []
        for layer in self.layers:
            features.append(layer(features[-1] if features else item))
        return Judgement([wide(self.logits(features[-1])[:, 0])], [features])
