"""Pictures of clips: some of their frames beside one another, and what a line of them does in time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad
from torchvision.transforms.functional import to_pil_image
from torchvision.utils import make_grid

from ganlit.data.images.modality import of_shape, resized

FRAMES = 8  # of a clip, at most
PADDING, GREY = 4, 96  # points between two clips, and how bright they are
ACROSS = 2400  # points of a picture: beyond them, clips have fewer frames
FEWEST = 4  # but so many, where there are


def strips(clips: Tensor, frames: int) -> Tensor:
    """Of clips [n, C, T, H, W] uint8 so many frames at even times, then the middle line of all of them, time downwards.

    Returns:
        [n, C, H, (frames + 1) * W].
    """
    length, height, width = clips.shape[2:]
    chosen = torch.linspace(0, length - 1, frames).round().long()
    films = clips[:, :, chosen].permute(0, 1, 3, 2, 4).flatten(3)
    lines = resized(clips[:, :, :, height // 2], height, width)
    return torch.cat([films, lines], dim=3)


def grid(rows: Sequence[Tensor], columns: int) -> Image.Image:
    """Batches uint8 [n, C, T, H, W], clip after clip, row by row; shorter ones end in black."""
    channels, length = (max(clips.shape[axis] for clips in rows) for axis in (1, 2))
    height, width = max((clips.shape[3:] for clips in rows), key=torch.Size.numel)
    most = ACROSS // (columns * width) - 1
    frames = min(length, max(FEWEST, min(FRAMES, most)))
    alike = [_of_shape(clips.cpu(), channels, length, height, width) for clips in rows]
    films = torch.cat([strips(clips, frames) for clips in alike])
    return to_pil_image(make_grid(films, nrow=columns, padding=PADDING, pad_value=GREY))


def _of_shape(clips: Tensor, channels: int, length: int, height: int, width: int) -> Tensor:
    """uint8 [n, C, T, H, W]."""
    frames = clips.transpose(1, 2).flatten(0, 1)
    seen = of_shape(frames, channels, height, width).unflatten(0, (len(clips), -1)).transpose(1, 2)
    return pad(seen, (0, 0, 0, 0, 0, length - seen.shape[2]))
