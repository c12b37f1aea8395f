"""Criteria whose targets are sharper than the photographs that there are."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ganlit.contracts import Verdict
from ganlit.errors import UserError, within
from ganlit.losses.base import Attempt, Criterion


class Sharpened(Criterion):
    """A criterion that sees sharpened targets, while the discriminator sees them as they are.

    Unsharp masking as in Real-ESRGAN, Wang et al., arXiv 2107.10833, section 3.4, with the numbers of its authors.

    Args:
        criterion: asked about outputs and sharpened targets.
        weight: of its term, which has one of its own.
        amount: how much of what a blur takes away is added.
        radius: of the blur's bell in pixels, at which it is cut off.
        threshold: steps of 255, by which a pixel has to differ from its surroundings; even areas stay as they are.
        name: what it is logged by; by default that of the criterion, and "-sharpened".

    Raises:
        UserError: an argument is out of its range; when it is asked, that images are too small.
    """

    def __init__(
        self,
        criterion: Criterion,
        weight: float = 1.0,
        amount: float = 0.5,
        radius: int = 25,
        threshold: float = 10.0,
        name: str | None = None,
    ) -> None:
        super().__init__(weight, name or f"{criterion.name}-sharpened")
        within("Sharpened.amount", amount, least=0)
        within("Sharpened.radius", radius, least=1, most=1000)
        within("Sharpened.threshold", threshold, least=0, most=255)
        self.criterion = criterion
        self.asks_discriminator = criterion.asks_discriminator
        self.amount, self.radius, self.threshold = amount, radius, threshold

    def forward(self, attempt: Attempt) -> Tensor:
        seen, height, width = attempt.verdict, *attempt.target.shape[-2:]
        if min(height, width) <= self.radius:
            raise UserError(
                f"Sharpened.radius is {self.radius}, for which images need {self.radius + 1} pixels a side at least, "
                f"these have {height} x {width}: set a smaller one."
            )
        target = sharpened(attempt.target, self.amount, self.radius, self.threshold)
        return self.criterion.term(
            Attempt(attempt.source, Verdict(seen.critic, target, seen.fake, seen.latent, seen.side))
        )


def sharpened(images: Tensor, amount: float, radius: int, threshold: float) -> Tensor:
    """Images [B, C, H, W] of [-1, 1], sharpened where they are not even, and blended with themselves at its borders."""
    with torch.autocast(images.device.type, enabled=False):
        images = images.to(torch.promote_types(images.dtype, torch.float32))
        detail = images - blurred(images, radius)
        uneven = blurred((detail.abs() * 127.5 > threshold).to(images.dtype), radius)
        return uneven * (images + amount * detail).clamp(-1, 1) + (1 - uneven) * images


def blurred(images: Tensor, radius: int) -> Tensor:
    """Images [B, C, H, W] under a bell of that radius, as wide as OpenCV's GaussianBlur makes it; mirrored outside."""
    sigma = 0.3 * (radius - 1) + 0.8
    places = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
    bell = (-((places / sigma) ** 2) / 2).exp()
    bell = (bell / bell.sum()).view(1, 1, 1, -1)
    framed = pad(images, [radius] * 4, mode="reflect").flatten(0, 1)[:, None]
    return conv2d(conv2d(framed, bell), bell.transpose(2, 3)).view_as(images)
