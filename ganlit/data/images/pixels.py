"""From the network's numbers to pixels, for pictures and metrics alike."""

from __future__ import annotations

import torch
from torch import Tensor


def to_uint8(images: Tensor) -> Tensor:
    """Images in [-1, 1], of any shape and float type, to uint8: 0 is 128, what lies outside is clamped."""
    return images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
