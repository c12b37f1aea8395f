"""What extractors of clips see."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.errors import UserError


def of_clips(items: Tensor, who: str, least: int = 1) -> Tensor:
    """uint8 clips [B, 1 or 3, T, H, W] as they are.

    Args:
        who: asks for them, for the error.
        least: frames that it needs.

    Raises:
        UserError: they are something else, or too short.
    """
    if items.dtype != torch.uint8 or items.ndim != 5 or items.shape[1] not in (1, 3):
        raise UserError(f"{who} takes uint8 clips [B, 1 or 3, T, H, W], not {items.dtype} {list(items.shape)}.")
    if (frames := items.shape[2]) < least:
        have = f"{frames} frame{'s' * (frames > 1)}"
        raise UserError(f"{who} needs clips of {least} frames at least, these have {have}: take longer ones.")
    return items


def drawn(clips: Tensor, count: int) -> Tensor:
    """A number below `count` for each of the clips [B, ...], as good as any, and the same whatever is beside it.

    It is the sum of the bytes: clips that differ in one by one have other numbers.
    """
    return clips.flatten(1).sum(dim=1, dtype=torch.int64) % count


def chosen(clips: Tensor, places: Tensor) -> Tensor:
    """The frame [B, 3, H, W] at a place [B] of each of the clips [B, 1 or 3, T, H, W], in colour."""
    return clips[torch.arange(len(clips), device=clips.device), :, places].expand(-1, 3, -1, -1)
