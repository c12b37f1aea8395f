"""Which numbers of an input a verdict is due to: integrated gradients, Sundararajan et al., arXiv 1703.01365."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.errors import UserError

BOUND = 0.05  # of the change of the verdict: how far the sum may be from it, section 5 of the paper


class Attribution(NamedTuple):
    """What each number of inputs contributes to a verdict, beside a baseline."""

    map: Tensor  # [B, ...], of which the sums should be `verdict - start`
    verdict: Tensor  # [B] of the inputs
    start: Tensor  # [B] of the baselines

    @property
    def gap(self) -> Tensor:
        """[B]: by how much a sum is not what it should be."""
        return self.map.flatten(1).sum(1) - (self.verdict - self.start)

    @property
    def incomplete(self) -> Tensor:
        """[B]: the same in parts of what it should be."""
        return self.gap.abs() / (self.verdict - self.start).abs().clamp(min=1e-12)


def integrated_gradients(
    verdict: Callable[[Tensor], Tensor],
    inputs: Tensor,
    baselines: Tensor,
    steps: int,
    advance: Callable[[int], None] = lambda count: None,
) -> Attribution:
    """Equation 1: the difference to a baseline times the mean gradient on the straight way from there.

    The mean is by the midpoints of as many parts of the way as there are steps: exact for quadratic verdicts, and for
    smooth ones with an error that falls with the square of the steps.

    Args:
        verdict: of [B, ...] the numbers [B], each of its own item alone.
        inputs, baselines: [B, ...].
        steps: parts of the way.
        advance: told of steps.

    Raises:
        UserError: the verdict has no gradient.
    """
    total, difference = torch.zeros_like(inputs, dtype=torch.float64), inputs - baselines
    for step in range(steps):
        at = (baselines + (step + 0.5) / steps * difference).detach().requires_grad_()
        with torch.enable_grad():
            said = verdict(at)
        if not said.requires_grad:
            raise UserError(
                "This verdict does not depend on the images by any gradient, so that nothing is due to them."
            )
        [gradient] = torch.autograd.grad(said.sum(), at)
        total += gradient.double()
        advance(1)
    with torch.no_grad():
        ends = [verdict(each).double() for each in (inputs, baselines)]
    return Attribution(difference.double() * total / steps, *ends)


def without(inputs: Tensor, baselines: Tensor, order: Tensor, count: int) -> Tensor:
    """Inputs [B, C, H, W] with the first places of an order [B, H * W] of places as in the baselines."""
    chosen = torch.zeros(len(inputs), order.shape[1], dtype=torch.bool, device=inputs.device)
    chosen.scatter_(1, order[:, :count].to(inputs.device), True)
    return torch.where(chosen.unflatten(1, inputs.shape[2:])[:, None], baselines, inputs)
