"""How close clips are to the very ones they should be: for prediction, the mean over their frames."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.errors import UserError
from ganlit.metrics.images import paired as images
from ganlit.metrics.images.views import View
from ganlit.metrics.likeness import Likeness


def over_frames(
    name: str,
) -> Callable[[View, Modality, torch.device | str], Likeness]:
    """The metric of images by this name, of each frame, and its mean."""

    def build(view: View, kind: Modality, device: torch.device | str) -> Likeness:
        single = images.PAIRED[name](view, kind, device)

        def seen(output: Tensor, target: Tensor) -> Tensor:
            if output.shape != target.shape or output.ndim != 5:
                raise UserError(
                    f"{name} compares clips [B, C, T, H, W] one to one, but the outputs are {list(output.shape)} and "
                    f"the targets {list(target.shape)}: bring them to one number, length, size and colour."
                )
            frames = (clips.transpose(1, 2).flatten(0, 1) for clips in (output, target))
            return single.seen(*frames).unflatten(0, (len(output), output.shape[2])).mean(dim=1)

        return Likeness(single.variant, seen)

    return build


PAIRED = {name: over_frames(name) for name in ("psnr", "ssim", "lpips")}
"""By name what builds a metric, as frames are looked at, of clips of a kind, on a device."""

BETTER = {name: images.BETTER[name] for name in PAIRED}
read, depth = images.read, images.depth
