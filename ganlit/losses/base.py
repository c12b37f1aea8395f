"""What an adversarial loss is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from ganlit.contracts import Verdict


class AdversarialLoss(nn.Module, ABC):
    """The two objectives of the game, each a scalar that its player minimises.

    They are asked for one network of the discriminator at a time; of several the mean is taken.
    """

    @abstractmethod
    def discriminator(self, verdict: Verdict) -> Tensor:
        """Reads `real_logits` and `fake_logits`, each [B] or, of patches, [B, ...]."""

    @abstractmethod
    def generator(self, verdict: Verdict) -> Tensor:
        """Reads `fake_logits` [B]; a relativistic loss reads `real_logits` too."""
