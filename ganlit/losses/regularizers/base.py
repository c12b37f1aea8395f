"""What a regularizer is, for either player."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from ganlit.contracts import Verdict, over_networks
from ganlit.errors import UserError, within


class Regularizer(nn.Module, ABC):
    """A term of the discriminator's objective that need not be computed at every step.

    Lazy regularization (StyleGAN2, arXiv 1912.04958, section 3.1): every `every` steps the term joins the backward
    of the adversarial loss, `every` times as heavy.

    Args:
        weight: factor of the term, 0 or more; for R1 it is gamma.
        every: steps from one evaluation to the next, 1 or more.

    Raises:
        UserError: an argument is out of its range.
    """

    differentiates = True
    """Whether it takes a gradient by the items, which therefore have to require one."""

    def __init__(self, weight: float, every: int = 1) -> None:
        super().__init__()
        within(f"{type(self).__name__}.weight", weight, least=0)
        within(f"{type(self).__name__}.every", every, least=1)
        self.weight = weight
        self.every = every
        self.scale = 1.0  # what reactions to alarms have made of the weight

    def due(self, step: int) -> bool:
        return step % self.every == 0

    def term(self, verdict: Verdict) -> Tensor:
        """The scalar that joins the objective when due, in float32 whatever the precision of training.

        It precedes the loss: the logits that it asks for are computed without autocast, and the loss shares them.
        """
        # The verdict itself gets the wider items, for a gradient is taken by the very tensors that the critic saw.
        verdict.real, verdict.fake = widened(verdict.real), widened(verdict.fake)
        with torch.autocast(verdict.fake.device.type, enabled=False):
            return self.weight * self.scale * self.every * self.value(verdict)

    def value(self, verdict: Verdict) -> Tensor:
        """The mean over the networks of the discriminator."""
        return over_networks(self, verdict)

    @abstractmethod
    def forward(self, verdict: Verdict) -> Tensor:
        """The bare scalar, for one network of the discriminator.

        `verdict.real` and `verdict.fake` require a gradient when this is called, if it `differentiates` by them.
        """


class GeneratorRegularizer(Regularizer):
    """The same for the generator's objective.

    `forward` reads `verdict.fake` [B, ...] and `verdict.latent` [b, ...], from which a graph leads to the first items:
    `part(B)`, or more. What made those ran without autocast. What else the generator handed out is `verdict.side`.
    """

    share = 1.0
    """Of a batch, whose items it reads."""

    def part(self, batch: int) -> int:
        """How many items of a batch those are: the first ones, at least one."""
        return max(1, round(self.share * batch))

    def value(self, verdict: Verdict) -> Tensor:
        """Of the generator there is one."""
        return self(verdict)

    def term(self, verdict: Verdict) -> Tensor:
        """As for the discriminator.

        Raises:
            UserError: it was listed among the discriminator's regularizers, which have no latent to read.
        """
        if verdict.latent is None:
            raise UserError(f"{type(self).__name__} regularizes the generator: list it under generator_regularizers.")
        return super().term(verdict)


def widened(items: Tensor) -> Tensor:
    """The items in float32, or as they are when that is no gain."""
    return items.to(torch.promote_types(items.dtype, torch.float32))
