"""Penalties on the discriminator's gradient by its input, without a gradient: from items moved a little."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Literal

import torch
from torch import Tensor

from ganlit.contracts import Verdict
from ganlit.errors import within
from ganlit.losses.regularizers.base import Regularizer


class Differences(Regularizer):
    """How much logits change where normal noise moves the items: Lin et al., arXiv 2501.08316, section 3.4.

    E ||D(x) - D(x + sigma eps)||^2 / (2 sigma^2) tends to half the squared gradient as sigma falls, so that the weight
    is gamma as for `R1` and `R2`; the paper's lambda, which is not over sigma^2, is gamma / (2 sigma^2). There is no
    double backward: what has none, such as a compiled network, can be so penalised.

    Of smooth networks the gradient of this is in the mean that of the exact penalty. Of networks with kinks, as ReLU
    and maxout make them, it is not: where a kink lies decides how many items have which slope, of which autograd, which
    looks at one item at a time, knows nothing, and which noise across it feels.

    The pass over the moved items draws what that over the items has drawn, so that an augmentation or dropout is the
    same in both and noise is all that differs. Batch statistics are those of each pass.

    Args:
        weight: gamma.
        every: steps from one evaluation to the next.
        sigma: deviation of the noise, in the items' own numbers.

    Raises:
        UserError: an argument is out of its range.
    """

    differentiates = False

    def __init__(self, weight: float, every: int = 1, sigma: float = 0.01) -> None:
        super().__init__(weight, every)
        within(f"{type(self).__name__}.sigma", sigma, above=0)
        self.sigma = sigma

    def value(self, verdict: Verdict) -> Tensor:
        """All networks of the discriminator judge the same moved items, in one pass."""
        return self(verdict)

    def penalty(self, verdict: Verdict, side: Literal["real", "fake"]) -> Tensor:
        """The term for the items that are `real` or `fake`.

        Args:
            verdict: with logits that may be known already, and are shared with the loss where they are not.
            side: of the verdict.
        """
        items = getattr(verdict, side).detach()
        moved = items + self.sigma * torch.randn_like(items)
        shared = f"{side}_judgement" not in vars(verdict)  # else nobody knows what was drawn for it
        again = replay(items.device)
        before = (getattr(verdict, f"{side}_judgement") if shared else verdict.judgement(items)).logits
        with again():
            after = verdict.judgement(moved).logits
        return halves(before, after) / self.sigma**2


class FiniteR1(Differences):
    """`R1`, half the squared gradient on real items, by finite differences."""

    def forward(self, verdict: Verdict) -> Tensor:
        return self.penalty(verdict, "real")


class FiniteR2(Differences):
    """`R2`, half the squared gradient on generated items, by finite differences."""

    def forward(self, verdict: Verdict) -> Tensor:
        return self.penalty(verdict, "fake")


def halves(before: Sequence[Tensor], after: Sequence[Tensor]) -> Tensor:
    """Half the mean squared difference of logits [B, ...], those of one item summed; the mean over networks."""
    pairs = zip(before, after, strict=True)
    apart = [(one - other).flatten(1).sum(1) if one.ndim > 1 else one - other for one, other in pairs]
    return sum(each.square().mean() for each in apart) / (2 * len(apart))


def replay(device: torch.device) -> Callable[[], AbstractContextManager[None]]:
    """A block in which the random numbers are drawn once more that are drawn from here on; those behind it are others.

    Args:
        device: whose random stream it is about, beside that of the CPU.
    """
    devices = [device] if device.type == "cuda" else []
    states = [torch.get_rng_state(), *map(torch.cuda.get_rng_state, devices)]

    @contextmanager
    def again() -> Iterator[None]:
        with torch.random.fork_rng(devices=devices):
            torch.set_rng_state(states[0])
            for each, state in zip(devices, states[1:], strict=True):
                torch.cuda.set_rng_state(state, each)
            yield

    return again
