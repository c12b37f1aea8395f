"""Differentiable augmentation: Zhao et al., arXiv 2006.10738, section 3 and appendix B."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.augment.base import Augment, stacked, unrolled
from ganlit.errors import UserError


def brightness(images: Tensor) -> Tensor:
    """Adds to each image a value from [-0.5, 0.5]."""
    return images + torch.rand(len(images), 1, 1, 1, device=images.device) - 0.5


def saturation(images: Tensor) -> Tensor:
    """Moves each pixel's colour to between its grey (0) and twice as far from it (2)."""
    grey = images.mean(dim=1, keepdim=True)
    return grey + (images - grey) * torch.rand(len(images), 1, 1, 1, device=images.device) * 2


def contrast(images: Tensor) -> Tensor:
    """Moves each image to between half and one and a half of its distance from its mean."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (images - mean) * (torch.rand(len(images), 1, 1, 1, device=images.device) + 0.5)


def translation(images: Tensor, ratio: float = 0.125) -> Tensor:
    """Shifts each image by up to `ratio` of its size each way; zeros come in from outside."""
    batch, _, height, width = images.shape
    rows = _shifted(batch, height, ratio, images.device)
    columns = _shifted(batch, width, ratio, images.device)
    framed = torch.nn.functional.pad(images, (1, 1, 1, 1))
    item = torch.arange(batch, device=images.device)[:, None, None]
    return framed.permute(0, 2, 3, 1)[item, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _shifted(batch: int, size: int, ratio: float, device: torch.device) -> Tensor:
    """Indices [batch, size] of a line framed by one zero each side, shifted by up to `ratio` of its size."""
    reach = int(size * ratio + 0.5)
    shift = torch.randint(-reach, reach + 1, (batch, 1), device=device)
    return (torch.arange(size, device=device) + shift + 1).clamp(0, size + 1)


def cutout(images: Tensor, ratio: float = 0.5) -> Tensor:
    """Blanks a square of `ratio` of the image's size, its centre anywhere in the image."""
    batch, _, height, width = images.shape
    rows = _hidden(batch, height, ratio, images.device)
    columns = _hidden(batch, width, ratio, images.device)
    return images * ~(rows[:, None, :, None] & columns[:, None, None, :])


def _hidden(batch: int, size: int, ratio: float, device: torch.device) -> Tensor:
    """Which places [batch, size] of a line lie under a random segment of `ratio` of its size."""
    extent = int(size * ratio + 0.5)
    centre = torch.randint(0, size + (1 - extent % 2), (batch, 1), device=device)
    place = torch.arange(size, device=device)
    return (place >= centre - extent // 2) & (place < centre - extent // 2 + extent)


POLICIES = {
    "color": (unrolled, (brightness, saturation, contrast)),
    "translation": (stacked, (translation,)),
    "cutout": (stacked, (cutout,)),
}
"""By name as what items are seen, and what is done with them."""


class DiffAugment(Augment):
    """Applies a policy to every image, afresh each time, and alike to all frames of a clip.

    Args:
        policy: names from `color`, `translation`, `cutout`, joined by commas and applied in that order.
    """

    def __init__(self, policy: str = "color,translation,cutout") -> None:
        super().__init__()
        names = [name.strip() for name in policy.split(",")]
        for name in names:
            if name not in POLICIES:
                raise UserError(f"DiffAugment: policy has no part '{name}'; choose from {', '.join(POLICIES)}.")
        self.parts = [POLICIES[name] for name in names]

    def forward(self, images: Tensor) -> Tensor:
        for seen_as, transforms in self.parts:
            changed = seen_as(images)
            for transform in transforms:
                changed = transform(changed)
            images = changed.view_as(images)
        return images
