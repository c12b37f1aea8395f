"""What an augmentation is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from ganlit.contracts import Verdict


class Augment(nn.Module, ABC):
    """A random, differentiable transform in front of the discriminator, for real and generated items alike."""

    @abstractmethod
    def forward(self, items: Tensor) -> Tensor:
        """[B, ...] in, the same shape out; gradients flow back to the generator."""

    def observe(self, verdict: Verdict, images: int) -> None:
        """Learns from a micro-batch that stands for `images` real images over all ranks; most have nothing to learn."""


class Unaugmented(Augment):
    """The items as they are."""

    def forward(self, items: Tensor) -> Tensor:
        return items
