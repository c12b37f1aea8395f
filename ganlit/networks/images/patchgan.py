"""The discriminator of pix2pix, which judges patches: Isola et al., arXiv 1611.07004, section 3.2.2, appendix 6.1.2."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from ganlit.contracts import Judgement
from ganlit.errors import UserError, within
from ganlit.networks.layers import wide

HALVINGS = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}
"""By the side of a patch, how often its network halves the resolution."""

Norm = Literal["batch", "instance", "none"]


def initialise(module: nn.Module) -> None:
    """Normal weights of deviation 0.02, no bias: appendix 6.2."""
    if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


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
        for name, size in {"channels": channels, "width": width}.items():
            within(f"PatchDiscriminator.{name}", size, least=1, most=2**20)
        if field not in HALVINGS:
            known = ", ".join(map(str, HALVINGS))
            raise UserError(f"PatchDiscriminator.field is {field}: it must be one of {known}.")
        self.field = field
        strides = [1, 1] if field == 1 else [2] * HALVINGS[field] + [1]
        kernel, padding = (1, 0) if field == 1 else (4, 1)
        maps = [width * min(2**layer, 8) for layer in range(len(strides))]
        self.layers = nn.ModuleList()
        for place, (inputs, outputs) in enumerate(pairwise([channels, *maps])):
            between = norm if place else "none"  # the first layer has none
            layer = [nn.Conv2d(inputs, outputs, kernel, strides[place], padding, bias=between != "batch")]
            if between == "batch":
                layer.append(nn.BatchNorm2d(outputs))
            elif between == "instance":
                layer.append(nn.InstanceNorm2d(outputs))
            self.layers.append(nn.Sequential(*layer, nn.LeakyReLU(0.2)))
        self.logits = nn.Conv2d(maps[-1], 1, kernel, 1, padding)
        self.apply(initialise)

    def forward(self, item: Tensor, label: Tensor) -> Judgement:
        """Images [B, C, H, W] to a logit for each patch, [B, h, w], and what each layer before has found in them."""
        smallest = 1 if self.field == 1 else 3 << HALVINGS[self.field]
        if min(item.shape[-2:]) < smallest:
            raise UserError(
                f"PatchDiscriminator.field is {self.field}, which takes images of {smallest} pixels or more, but it is "
                f"shown some of {min(item.shape[-2:])}: set it to less."
            )
        features = []
        for layer in self.layers:
            features.append(layer(features[-1] if features else item))
        return Judgement([wide(self.logits(features[-1])[:, 0])], [features])
