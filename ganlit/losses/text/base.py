"""What an estimator is: how a verdict reaches a generator through a choice of symbols, which has no gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.contracts import Terms

END = 0
"""The symbol at which a text is over, where there is an end."""


class Turn(NamedTuple):
    """What the generator's turn has for an estimator, of one micro-batch."""

    generator: nn.Module
    label: Tensor  # [B]: of each text that is to be written
    kimg: float  # how far the training is
    judge: Callable[[Tensor, Tensor], list[Tensor]]  # texts [N, ...] and labels [N] to the logits of each network
    objective: Callable[[Tensor], Tensor]  # the adversarial loss of texts [B, ...], with their gradient


class Estimator(nn.Module, ABC):
    """Shows the discriminator what a generator writes, and makes of its verdict a term of the generator's.

    What it remembers follows the generator, and is in every checkpoint.
    """

    soft = False
    """Whether the discriminator sees shares [B, L, symbols], which have a gradient, and not symbols [B, L]."""

    reads = True
    """Whether the generator reads what it writes, symbol after symbol, and so knows how likely a text is."""

    follows = True
    """What is in it moves without a gradient, as an average does."""

    def start(self, generator: nn.Module) -> None:
        """Looks at the generator before any training."""

    def follow(self, generator: nn.Module) -> None:
        """Learns from a step that the generator has made."""

    @abstractmethod
    def shown(self, generator: nn.Module, label: Tensor, kimg: float) -> Tensor:
        """What the discriminator sees of texts that are written for labels [B]."""

    def real(self, item: Tensor, fake: Tensor) -> Tensor:
        """What it sees of real texts [B, L], beside generated ones."""
        return F.one_hot(item, fake.shape[2]).to(fake.dtype) if self.soft else item

    @abstractmethod
    def terms(self, turn: Turn) -> Terms:
        """The terms by which the generator learns from the discriminator; the main one is called adversarial."""


def counted(tokens: Tensor, ends: bool) -> Tensor:
    """Which places of texts [B, L] were chosen: all up to the first end, with that."""
    over = tokens == END if ends else torch.zeros_like(tokens, dtype=torch.bool)
    return over.cumsum(1) - over.long() == 0


def log_likelihood(logits: Tensor, tokens: Tensor, ends: bool) -> Tensor:
    """The logarithm of the probability of each symbol, 0 behind the end of a text: [B, L], in nats.

    Args:
        logits: [B, L, symbols].
        tokens: [B, L] int64.
        ends: whether a text is over at its first symbol 0.
    """
    with torch.autocast(logits.device.type, enabled=False):
        wide = logits if logits.dtype == torch.float64 else logits.float()
        found = -F.cross_entropy(wide.flatten(0, 1), tokens.flatten(), reduction="none").view_as(tokens)
    return found.masked_fill(~counted(tokens, ends), 0.0)
