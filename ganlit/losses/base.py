"""What an adversarial loss is, and what a criterion of a generator that takes data is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from torch import Tensor, nn

from ganlit.contracts import Verdict
from ganlit.errors import UserError, within


class AdversarialLoss(nn.Module, ABC):
    """The two objectives of the game, each a scalar that its player minimises.

    They are asked for one network of the discriminator at a time; of several the mean is taken.
    """

    compares = False
    """Whether what an item contributes depends on those beside it, so that parts of a batch are not the batch."""

    @abstractmethod
    def discriminator(self, verdict: Verdict) -> Tensor:
        """Reads `real_logits` and `fake_logits`, each [B] or, of patches, [B, ...]."""

    @abstractmethod
    def generator(self, verdict: Verdict) -> Tensor:
        """Reads `fake_logits` [B]; a relativistic loss reads `real_logits` too."""


class Attempt:
    """What a generator made of data, beside what it should have made.

    Args:
        source: [B, ...] what it was given.
        verdict: what the discriminator sees of it: the target is real, the output is fake.
    """

    def __init__(self, source: Tensor, verdict: Verdict) -> None:
        self.source = source
        self.verdict = verdict

    @property
    def target(self) -> Tensor:
        """[B, ...]."""
        return self.verdict.real

    @property
    def output(self) -> Tensor:
        """[B, ...]."""
        return self.verdict.fake

    @property
    def side(self) -> Mapping[str, Any]:
        """What else the generator handed out."""
        return self.verdict.side

    def handed(self, name: str, criterion: nn.Module) -> Any:
        """What the generator handed out under a name.

        Raises:
            UserError: nothing.
        """
        if name not in self.side:
            there = f"; it hands out {', '.join(self.side)}" if self.side else ""
            raise UserError(
                f"{type(criterion).__name__} reads the generator's {name}, which it does not hand out{there}: leave "
                "that criterion out, or take a generator that does."
            )
        return self.side[name]

    @cached_property
    def features(self) -> list[tuple[Sequence[Tensor], Sequence[Tensor]]]:
        """Of each network of the discriminator its features [B, ...] inside, of the target and of the output."""
        return list(zip(self.verdict.real_features, self.verdict.fake_features, strict=True))


class Criterion(nn.Module, ABC):
    """A term of the objective of a generator that takes data.

    Args:
        weight: its factor, 0 or more.
        name: what it is logged by; by default that of its class, in small letters.

    Raises:
        UserError: the weight is out of its range.
    """

    asks_discriminator = False
    """Whether it means something only where the discriminator has learnt, and is left out before that."""

    def __init__(self, weight: float = 1.0, name: str | None = None) -> None:
        super().__init__()
        within(f"{type(self).__name__}.weight", weight, least=0)
        self.weight = weight
        self.name = name or type(self).__name__.lower()

    def term(self, attempt: Attempt) -> Tensor:
        """The scalar that joins the objective."""
        return self.weight * self(attempt)

    @abstractmethod
    def forward(self, attempt: Attempt) -> Tensor:
        """The bare scalar."""
