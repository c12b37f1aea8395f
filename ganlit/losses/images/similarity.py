"""Criteria of images that look at a neighbourhood of each pixel."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.losses.base import Attempt, Criterion

WINDOW = 11


class SSIM(Criterion):
    """One minus the structural similarity of images of [-1, 1]: Wang et al. 2004, equation 13, K1 0.01, K2 0.03.

    The window is a Gaussian of 11 pixels and sigma 1.5; colours are compared one by one. At the borders, which the
    measure of the same name leaves out, images are mirrored.
    """

    def forward(self, attempt: Attempt) -> Tensor:
        from torchmetrics.functional.image import structural_similarity_index_measure  # a second, for who wants it

        if min(attempt.target.shape[-2:]) < WINDOW:
            height, width = attempt.target.shape[-2:]
            raise UserError(f"SSIM needs images of {WINDOW} pixels a side at least, these have {height} x {width}.")
        with torch.autocast(attempt.output.device.type, enabled=False):
            wide = torch.promote_types(attempt.output.dtype, torch.float32)
            # Luminance is compared, which begins at 0.
            output, target = ((images.to(wide) + 1) / 2 for images in (attempt.output, attempt.target))
            return 1 - structural_similarity_index_measure(output, target, data_range=1.0)
