"""What is expected of a text, place by place: taken from what it gets, it leaves the gradient its mean and less noise.

Williams 1992, "Simple statistical gradient-following algorithms", section 4.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from ganlit.contracts import Terms
from ganlit.errors import UserError, within
from ganlit.losses.text.base import Turn


class Baseline(nn.Module, ABC):
    """What is expected at a place, by what is before it alone."""

    def start(self, generator: nn.Module) -> None:
        """Looks at the generator before any training."""

    def follow(self) -> None:
        """Learns from the turn in which the generator has made a step."""

    @abstractmethod
    def expected(self, turn: Turn, tokens: Tensor, returns: Tensor, here: Tensor) -> tuple[Tensor, Terms]:
        """What texts [B, L] were to get, without a gradient, and the terms by which that is learnt.

        Args:
            turn: in which they were written.
            tokens: [B, L] int64.
            returns: [B, L] what they got.
            here: [B, L] bool, the places that were chosen.
        """


class MovingBaseline(Baseline):
    """The mean of each place, over the last steps.

    It moves after the generator's step, by all micro-batches and ranks of that together.

    Args:
        decay: share by which it moves towards the mean of a step.
    """

    def __init__(self, decay: float = 0.1) -> None:
        super().__init__()
        within("MovingBaseline.decay", decay, above=0, most=1)
        self.decay = decay

    def start(self, generator: nn.Module) -> None:
        for name in ("mean", "total", "count"):
            self.register_buffer(name, torch.zeros(generator.length))

    @torch.no_grad()
    def follow(self) -> None:
        self.mean += self.decay * (self.total / self.count.clamp(min=1e-12) - self.mean) * (self.count > 0)
        self.total.zero_()
        self.count.zero_()

    def expected(self, turn: Turn, tokens: Tensor, returns: Tensor, here: Tensor) -> tuple[Tensor, Terms]:
        self.total += (returns * here).sum(0).to(self.total)
        self.count += here.sum(0).to(self.count)
        return self.mean.to(returns).expand_as(returns), {}


class LearnedBaseline(Baseline):
    """What the generator's own `values` tell, which learn by their squared distance from what texts got.

    As the critic of MaskGAN, Fedus et al., arXiv 1801.07736, section 2.3; see `Valued`.

    Args:
        weight: of that distance, the term baseline.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        within("LearnedBaseline.weight", weight, above=0)
        self.weight = weight

    def start(self, generator: nn.Module) -> None:
        if not hasattr(generator, "values"):
            raise UserError(
                f"LearnedBaseline reads the generator's values, but {type(generator).__name__} has none: name Valued "
                "with it as generator, or take MovingBaseline."
            )

    def expected(self, turn: Turn, tokens: Tensor, returns: Tensor, here: Tensor) -> tuple[Tensor, Terms]:
        values = turn.generator.values(tokens, turn.label).to(returns.dtype)
        distance = ((values - returns).square() * here).mean()
        return values.detach(), {"baseline": self.weight * distance}
