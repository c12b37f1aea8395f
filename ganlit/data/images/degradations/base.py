"""What a degradation is, and what several of them share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import torch
from torch import Tensor

from ganlit.data.draws import Draws
from ganlit.errors import UserError, within

Range = float | tuple[float, float]
"""A number, or the two between which one is drawn for each image."""

WholeRange = int | tuple[int, int]
"""The same of whole numbers, both of them included."""


class Degradation(ABC):
    """Makes the source of a pair from its target, on the device where that is; gradients flow back to the images.

    What happens to an image follows from its draws alone, and is told there, see `Draws.tell`.
    """

    scale: int | Fraction = 1
    """By how much the sides of images shrink; a fraction where they grow."""

    @abstractmethod
    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        """Images [B, C, H, W] float in [-1, 1], B of them in the draws, to [B, C', H / scale, W / scale] in [-1, 1].

        Raises:
            UserError: these images cannot be degraded so, for their size or the number of their channels.
        """

    def given(self, source: Tensor) -> Tensor:
        """What networks see of a source [B, C', h, w] in [-1, 1] that comes from elsewhere, and was not made here."""
        return source

    def on_the_way(self, height: int, width: int) -> Degradation:
        """The same in the middle of a `Detour`, where images of this size set out."""
        return self


def extent(
    key: str, value: Range, *, least: float = -math.inf, above: float = -math.inf, most: float = math.inf
) -> tuple[float, float]:
    """The two ends of what a user gave as a number or as two.

    Raises:
        UserError: one is out of its bounds, as in `errors.within`, or they are in the wrong order.
    """
    low, high = value if isinstance(value, Sequence) else (value, value)
    for end in (low, high):
        within(key, end, least=least, above=above, most=most)
    if low > high:
        raise UserError(f"{key} is [{low}, {high}]: it must be the lower number, then the higher one.")
    return low, high


def between(draws: Draws, ends: tuple[float, float]) -> Tensor:
    """[B] float32 evenly from an extent."""
    return draws.uniform(low=ends[0], high=ends[1])


def whole_between(draws: Draws, ends: tuple[int, int]) -> Tensor:
    """[B] int64 evenly from an extent of whole numbers, both of them included."""
    return ends[0] + draws.integers(ends[1] - ends[0] + 1)


def each(values: Tensor) -> Tensor:
    """[B] to [B, 1, 1, 1], to stand beside images."""
    return values[:, None, None, None]


def shrunk(images: Tensor, scale: int, name: str) -> tuple[int, int]:
    """Height and width of images over the scale.

    Raises:
        UserError: it does not divide them.
    """
    height, width = images.shape[-2:]
    if height % scale or width % scale:
        raise UserError(
            f"{name}.scale is {scale}, which does not divide images of {height} x {width} (height x width): "
            "set a size that is a multiple of it."
        )
    return height // scale, width // scale


@lru_cache(maxsize=64)
@torch.inference_mode(False)  # kept from a validation, it may stand in a graph later
def constant(numbers: tuple, device: torch.device) -> Tensor:
    """Numbers as float32 where images are: brought there once, for each time the host would wait."""
    return torch.tensor(numbers, dtype=torch.float32, device=device)


def stepped(numbers: Tensor, value: Tensor) -> Tensor:
    """The value to the bit, with the gradient of the numbers: straight through what has none of its own."""
    return value.detach() + (numbers - numbers.detach())
