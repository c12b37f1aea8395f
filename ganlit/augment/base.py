"""What an augmentation is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from ganlit.contracts import Verdict


class Augment(nn.Module, ABC):
    """A random, differentiable transform in front of the discriminator, for real and generated items alike.

    Clips [B, C, T, H, W] are seen as images, of which each item is one: so all frames of a clip are changed alike.
    """

    @abstractmethod
    def forward(self, items: Tensor) -> Tensor:
        """[B, ...] in, the same shape out; gradients flow back to the generator."""

    def observe(self, verdict: Verdict, images: int) -> None:
        """Learns from a micro-batch that stands for `images` real images over all ranks; most have nothing to learn."""


class Unaugmented(Augment):
    """The items as they are."""

    def forward(self, items: Tensor) -> Tensor:
        return items


def stacked(items: Tensor) -> Tensor:
    """Images as they are, and clips [B, C, T, H, W] as [B, C T, H, W]: what moves one plane moves all."""
    return items.flatten(1, -3)


def unrolled(items: Tensor) -> Tensor:
    """Images as they are, and clips [B, C, T, H, W] as [B, C, T H, W]: their frames one below the other."""
    return items.flatten(2, -2)
