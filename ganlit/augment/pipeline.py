"""The random transforms of ADA, each met by an image with probability p: arXiv 2006.06676, appendix B.

Maps of the plane are returned as their inverses, which say where a pixel comes from. Each distribution is that of its
own inverse (angles and shifts are symmetric, the logarithms of scales too), so the paper's numbers stay as they are.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganlit.augment.geometry import Affine, apply, product, rotation


def sometimes(p: Tensor, values: Tensor, neutral: float) -> Tensor:
    """The values [B, ...] of a random share p [] of the images, and `neutral` for the others."""
    coin = torch.rand(len(values), *[1] * (values.ndim - 1), device=values.device)
    return torch.where(coin < p, values, neutral)


def blitting(batch: int, height: int, width: int, p: Tensor) -> Affine:
    """Pixel blitting, which moves whole pixels: x-flip, quarter turns, shifts by up to an eighth of the size."""
    on = {"device": p.device}
    flip = sometimes(p, 1 - 2.0 * torch.randint(2, (batch,), **on), 1)
    turns = sometimes(p, torch.randint(4, (batch,), **on).float(), 0)
    share = torch.rand(batch, 2, **on) / 4 - 0.125
    shift = sometimes(p, torch.stack([share[:, 0] * width, share[:, 1] * height], dim=1).round(), 0)

    matrix = rotation(turns * (math.pi / 2)).round()
    matrix = torch.stack([matrix[:, 0] * flip[:, None], matrix[:, 1]], dim=1)
    return Affine(matrix, apply(matrix, shift))


def deformation(batch: int, height: int, width: int, p: Tensor) -> Affine:
    """General geometry: scale, rotation, stretch, rotation, fractional shift."""
    on = {"device": p.device}
    deviation = 0.2 * math.log(2)
    scale = sometimes(p, torch.randn(batch, **on) * deviation, 0)
    stretch = sometimes(p, torch.randn(batch, **on) * deviation, 0)
    either = 1 - (1 - p).sqrt()  # of two rotations; p that there is one of them
    before, after = (sometimes(either, (torch.rand(batch, **on) * 2 - 1) * math.pi, 0) for _ in range(2))
    share = torch.randn(batch, 2, **on) * 0.125
    shift = sometimes(p, torch.stack([share[:, 0] * width, share[:, 1] * height], dim=1), 0)

    axes = torch.stack([scale + stretch, scale - stretch], dim=1).exp()
    matrix = product(rotation(before) * axes[:, None], rotation(after))
    return Affine(matrix, apply(matrix, shift))


def recolour(images: Tensor, p: Tensor) -> Tensor:
    """Brightness and contrast; for three channels also luma flip, hue and saturation."""
    batch, channels = images.shape[:2]
    on = {"device": p.device}
    brightness = sometimes(p, torch.randn(batch, **on) * 0.2, 0)
    contrast = sometimes(p, (torch.randn(batch, **on) * (0.5 * math.log(2))).exp(), 1)
    if channels != 3:
        return images * contrast[:, None, None, None] + (contrast * brightness)[:, None, None, None]

    flip = sometimes(p, 1 - 2.0 * torch.randint(2, (batch,), **on), 1)
    hue = sometimes(p, (torch.rand(batch, **on) * 2 - 1) * math.pi, 0)
    saturation = sometimes(p, (torch.randn(batch, **on) * math.log(2)).exp(), 1)
    matrix = contrast[:, None, None] * about_luma(flip, saturation * hue.cos(), saturation * hue.sin())
    # Brightness lies along the luma axis, of which contrast and the flip are all that it meets.
    shift = (contrast * flip * brightness)[:, None, None]
    return torch.baddbmm(shift.to(images.dtype), matrix.to(images.dtype), images.flatten(2)).view_as(images)


def about_luma(along: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Matrices [B, 3, 3] that scale the luma axis (1, 1, 1), and scale and turn the plane across it.

    With the axis as unit vector v: along v v^T + cosine (I - v v^T) + sine [v]x. No channel is special to it, so it is
    circulant: three numbers an image are enough, and exactly those of the identity where nothing is asked for.
    """
    mean, turn = (along - cosine) / 3, sine / math.sqrt(3)
    same, next_, last = cosine + mean, mean - turn, mean + turn
    return torch.stack([same, next_, last, last, same, next_, next_, last, same], dim=1).unflatten(1, (3, 3))
