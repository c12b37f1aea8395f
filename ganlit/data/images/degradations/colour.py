"""Images without their colours."""

from __future__ import annotations

from torch import Tensor

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation, constant
from ganlit.errors import UserError

LUMA = (19595, 38470, 7471)
"""What red, green and blue count in Pillow's conversion to L, in 65536ths: ITU-R 601-2."""


def luma(images: Tensor) -> Tensor:
    """Images [B, 3, H, W] to [B, 1, H, W]; of another number of channels the mean."""
    if images.shape[1] != len(LUMA):
        return images.mean(dim=1, keepdim=True)
    return (images * constant(LUMA, images.device).view(1, -1, 1, 1)).sum(dim=1, keepdim=True) / 65536


class Grey(Degradation):
    """RGB to grey, for colourisation: Pillow's L, not rounded."""

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        if images.shape[1] != len(LUMA):
            raise UserError(
                f"Grey takes images with 3 channels, not {images.shape[1]}: set data.init_args.channels to 3."
            )
        return luma(images).clamp(-1, 1)
