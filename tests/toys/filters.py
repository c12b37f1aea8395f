"""Generators that take images of any size, as small as can be, and that do what can be told without them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, instance_norm, interpolate, pad


class Filter(nn.Module):
    """Gives back what it is given, by strides as long as `multiple`."""

    classes = 0
    scale = 1

    def __init__(self, multiple: int = 1) -> None:
        super().__init__()
        self.multiple = multiple
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        if any(side % self.multiple for side in source.shape[2:]):
            raise ValueError(f"sides {list(source.shape[2:])} are no multiples of {self.multiple}")
        return self.filtered(source) * self.gain

    def filtered(self, source: Tensor) -> Tensor:
        return source


class Blur(Filter):
    """Means of as many places each way around, of which those beyond the border are grey."""

    def __init__(self, radius: int = 1, multiple: int = 1) -> None:
        super().__init__(multiple)
        self.radius = radius

    def filtered(self, source: Tensor) -> Tensor:
        return avg_pool2d(pad(source, (self.radius,) * 4), 2 * self.radius + 1, stride=1)


class Mosaic(Filter):
    """The mean of each square, whose side is `multiple`, after a blur."""

    def filtered(self, source: Tensor) -> Tensor:
        blurred = avg_pool2d(source, 3, stride=1, padding=1)
        return interpolate(avg_pool2d(blurred, self.multiple), scale_factor=self.multiple)


class Twice(Filter):
    """Twice as large: of every place four."""

    scale = 2

    def filtered(self, source: Tensor) -> Tensor:
        return interpolate(source, scale_factor=2)


class Normed(Filter):
    """As bright and as rich in contrast, wherever it looks."""

    def filtered(self, source: Tensor) -> Tensor:
        return (instance_norm(source, eps=1e-3) / 2).tanh()


class Colours(Filter):
    """The first three channels, as they are."""

    def filtered(self, source: Tensor) -> Tensor:
        return source[:, :3]
