"""A start of synthesis that motion moves: the waves of StyleGAN3, Karras et al., arXiv 2106.12423, section 3.2."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ganlit.networks.layers import GAIN, wide
from ganlit.networks.sizes import check

SIDE = 4
"""Places along a side of the first layer."""

CYCLES = 1.0
"""Of the shortest waves across an image: half of what so few places could hold, so that moving them stays smooth."""


class MovedWaves(nn.Module):
    """Sines over the places of the first layer, mixed as is learned, all of which a motion code moves alike.

    What layers make of them moves along, at any speed and between pixels, and keeps its form: motion says where
    something is, and cannot say what it is.

    Args:
        maps: of the first layer.
        dim: of a motion code.

    Raises:
        UserError: one of them means nothing.
    """

    def __init__(self, maps: int, dim: int) -> None:
        super().__init__()
        check("MovedWaves", maps=maps, dim=dim)
        angle, size = 2 * math.pi * torch.rand(maps), CYCLES * torch.rand(maps).sqrt()  # evenly over a disk
        self.register_buffer("frequencies", size[:, None] * torch.stack([angle.sin(), angle.cos()], dim=1))
        self.register_buffer("phases", torch.rand(maps))
        self.mixed = nn.Conv2d(maps, maps, 1, bias=False)
        self.shift = nn.Linear(dim, 2)

    def forward(self, codes: Tensor) -> Tensor:
        """Motion codes [B, T, dim] to what the first layer takes, [B T, maps, SIDE, SIDE]."""
        with torch.autocast(codes.device.type, enabled=False):  # a phase has no few digits to lose
            shift = self.shift(wide(codes)).flatten(0, 1)[..., None]  # in sides
            spots = (torch.arange(SIDE, device=codes.device) + 0.5) / SIDE - 0.5 - shift  # [B T, 2, SIDE]
            rows, columns = (self.frequencies[:, axis, None] * spots[:, None, axis] for axis in (0, 1))
            turns = rows[..., :, None] + columns[..., None, :] + self.phases[:, None, None]
            waves = GAIN * (2 * math.pi * turns).sin()
        return self.mixed(waves)
