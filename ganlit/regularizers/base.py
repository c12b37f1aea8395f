"""What a regularizer of the discriminator is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from ganlit.contracts import Verdict


class Regularizer(nn.Module, ABC):
    """A term of the discriminator's objective that need not be computed at every step.

    Lazy regularization (StyleGAN2, arXiv 1912.04958, section 3.1): every `every` steps the term joins the backward
    of the adversarial loss, `every` times as heavy.

    Args:
        weight: factor of the term; for R1 it is gamma.
        every: steps from one evaluation to the next.
    """

    def __init__(self, weight: float, every: int = 1) -> None:
        super().__init__()
        self.weight = weight
        self.every = every

    def due(self, step: int) -> bool:
        return step % self.every == 0

    def term(self, verdict: Verdict) -> Tensor:
        """The scalar that joins the objective when due."""
        return self.weight * self.every * self(verdict)

    @abstractmethod
    def forward(self, verdict: Verdict) -> Tensor:
        """The bare scalar value; `verdict.real` and `verdict.fake` require a gradient when this is called."""
