"""Clips of squares that move as is known, what spoils their motion, and a kind of data for them."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import torch
from torch import Tensor

SIDE, SQUARE = 16, 4
KIND = SimpleNamespace(name="video", extractor="frame", for_extractor=lambda stored, wanted=None: stored)


def paths(count: int, frames: int, seed: int, drift: bool = False) -> Tensor:
    """Places [count, frames, 2] of corners in pixels: at a constant speed, there and back between the borders.

    Args:
        drift: all begin at the left and go to the right alone, never so far as the border.
    """
    generator = torch.Generator().manual_seed(seed)
    span = SIDE - SQUARE
    start = span * torch.rand(count, 2, generator=generator)
    speed = (0.4 + 0.8 * torch.rand(count, 2, generator=generator)) * torch.randn(count, 2, generator=generator).sign()
    if drift:
        start[:, 1], speed = 0, torch.stack([torch.zeros(count), speed[:, 1].abs().clamp(max=span / frames)], dim=1)
    places = start[:, None] + speed[:, None] * torch.arange(frames)[:, None]
    return span - (places % (2 * span) - span).abs()


def squares(places: Tensor, grey: Sequence[int] | int = 255) -> Tensor:
    """uint8 clips [count, 1, frames, SIDE, SIDE] of bright squares with their corners at places, between pixels."""
    spots = torch.arange(SIDE)
    along = [
        ((places[..., axis, None] + SQUARE - spots).clamp(0, 1) * (spots + 1 - places[..., axis, None]).clamp(0, 1))
        for axis in range(2)
    ]
    bright = torch.as_tensor(grey).reshape(-1, 1, 1, 1)
    return (bright * along[0][..., :, None] * along[1][..., None, :]).round().to(torch.uint8)[:, None]


def frozen(clips: Tensor) -> Tensor:
    return clips[:, :, :1].expand_as(clips).contiguous()


def shuffled(clips: Tensor, seed: int = 0) -> Tensor:
    """The frames of each clip in an order of its own."""
    order = torch.rand(len(clips), clips.shape[2], generator=torch.Generator().manual_seed(seed)).argsort(dim=1)
    return clips.transpose(1, 2)[torch.arange(len(clips))[:, None], order].transpose(1, 2)


def switched(clips: Tensor) -> Tensor:
    """Clips whose second half is that of another one."""
    half = clips.shape[2] // 2
    return torch.cat([clips[:, :, :half], clips.roll(1, 0)[:, :, half:]], dim=2)


def shapes(places: Tensor, labels: Tensor) -> Tensor:
    """Clips of squares, of which the lower half is missing in class 1."""
    whole = squares(places)
    lower = squares(places + torch.tensor([SQUARE / 2, 0.0]))
    half = (whole.int() - lower.int()).clamp(min=0).to(torch.uint8)
    return torch.where(labels[:, None, None, None, None] == 0, whole, half)
