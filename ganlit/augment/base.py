"""What an augmentation is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Augment(nn.Module, ABC):
    """A random, differentiable transform in front of the discriminator, for real and generated images alike."""

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """[B, C, H, W] in, the same shape out; gradients flow back to the generator."""
