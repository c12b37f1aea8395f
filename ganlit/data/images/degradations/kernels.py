"""Images under kernels of their own."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation, WholeRange, extent, whole_between
from ganlit.errors import UserError

LARGEST = 101  # side of a kernel in pixels


class Filtering(Degradation):
    """Every image under a kernel that is drawn for it; at its borders an image is mirrored."""

    @abstractmethod
    def kernels(self, draws: Draws) -> Tensor:
        """[B, K, K] float32 with the sum 1 each, K odd."""

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        return filtered(images, self.kernels(draws)).clamp(-1, 1)


def filtered(images: Tensor, kernels: Tensor) -> Tensor:
    """Images [B, C, H, W], each under its kernel of [B, K, K], in one convolution of as many groups as channels."""
    batch, channels = images.shape[:2]
    framed = mirrored(images, kernels.shape[-1] // 2).flatten(0, 1)[None]
    each_channel = kernels.to(images.dtype).repeat_interleave(channels, dim=0)[:, None]
    return conv2d(framed, each_channel, groups=batch * channels).view_as(images)


def mirrored(images: Tensor, frame: int) -> Tensor:
    """Images with a frame in which they are mirrored about their outermost pixels, as often as it takes."""
    for dim in (2, 3):
        length = images.shape[dim]
        period = max(2 * length - 2, 1)
        places = torch.arange(-frame, length + frame, device=images.device) % period
        images = images.index_select(dim, torch.minimum(places, period - places))
    return images


def odd_extent(key: str, value: WholeRange) -> tuple[int, int]:
    """The two ends of sizes of kernels, which have a pixel in the middle."""
    low, high = extent(key, value, least=1, most=LARGEST)
    if not low % 2 or not high % 2:
        raise UserError(f"{key} is [{low}, {high}]: kernels have a pixel in the middle, so set odd numbers.")
    return low, high


def odd_between(draws: Draws, ends: tuple[int, int]) -> Tensor:
    """[B] int64: odd numbers of an extent."""
    return 2 * whole_between(draws, (ends[0] // 2, ends[1] // 2)) + 1


def plane(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """How far pixels of a kernel are right of its middle, [1, 1, K], and below it, [1, K, 1]."""
    places = torch.arange(size, device=device, dtype=torch.float32) - size // 2
    return places[None, None], places[None, :, None]


def cut(kernels: Tensor, sizes: Tensor) -> Tensor:
    """Kernels [B, K, K] that are zero outside their own size [B], and have the sum 1."""
    right, below = plane(kernels.shape[-1], kernels.device)
    reach = (sizes // 2)[:, None, None]
    kernels = torch.where((right.abs() <= reach) & (below.abs() <= reach), kernels, 0.0)
    return kernels / kernels.sum(dim=(1, 2), keepdim=True)
