"""Between the network's numbers and pixels of any depth, for pictures and metrics alike."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.data.images.depth import WHITE, Bits


def to_uint8(images: Tensor) -> Tensor:
    """Images in [-1, 1], of any shape and float type, to uint8: 0 is 128, what lies outside is clamped."""
    return images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def to_pixels(images: Tensor, depth: Bits) -> Tensor:
    """The same to pixels of a depth: uint8, uint16, or float32 in [0, 1]."""
    if depth == 8:
        return to_uint8(images)
    unit = images.float().add(1)
    if depth == 16:
        return unit.mul(WHITE / 2).round().clamp(0, WHITE).to(torch.uint16)
    return unit.div(2).clamp(0, 1)


def from_pixels(stored: Tensor) -> Tensor:
    """Pixels of any depth, which their type tells, in [-1, 1]."""
    if stored.dtype == torch.float32:
        return stored.mul(2).sub_(1)
    return stored.float().div_(127.5 if stored.dtype == torch.uint8 else WHITE / 2).sub_(1)


def in_8_bits(stored: Tensor) -> Tensor:
    """Pixels of any depth as uint8: of 16 bits the upper 8, as everywhere, of floats the nearest."""
    if stored.dtype == torch.uint8:
        return stored
    if stored.dtype == torch.uint16:
        return stored.int().bitwise_right_shift(8).to(torch.uint8)
    return stored.mul(255).round().to(torch.uint8)


def colours(stored: Tensor) -> Tensor:
    """Of images [N, C, H, W] the channels that are shown: the first three as red, green and blue, else the first."""
    return stored[:, : 3 if stored.shape[1] > 2 else 1]
