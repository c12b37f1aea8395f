"""What extractors of images see."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.errors import UserError


def in_colour(images: Tensor, who: str) -> Tensor:
    """uint8 images [B, 1 or 3, H, W] as [B, 3, H, W].

    Raises:
        UserError: they are something else; `who` asks for them.
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise UserError(f"{who} takes uint8 images [B, 1 or 3, H, W], not {images.dtype} {list(images.shape)}.")
    return images.expand(-1, 3, -1, -1)
