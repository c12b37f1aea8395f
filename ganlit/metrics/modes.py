"""What is told of items of which it is known which mode each is one of: Lin et al., arXiv 1712.04086, section 4."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.errors import UserError
from ganlit.metrics.likeness import Told


class Asked(NamedTuple):
    """The options behind a name, of which there are none."""


def counts(members: Tensor, modes: int) -> Tensor:
    """How many items [K] int64 are of each mode, from the mode [N] of each, -1 of what is of none."""
    return members[members >= 0].bincount(minlength=modes)


def reached(found: Tensor) -> Told:
    """How many modes have an item, from how many each has."""
    return Told(float((found > 0).sum()))


def share(members: Tensor) -> Told:
    """Percent of the items that are of any mode."""
    part = float((members >= 0).double().mean())
    return Told(100 * part, 100 * (part * (1 - part) / len(members)) ** 0.5, "bootstrap, exactly")


def reverse_divergence(made: Tensor, real: Tensor) -> Told:
    """KL(made || real), in nats, of how items spread over the modes.

    Args:
        made: [K] items of each mode.
        real: [K] the same of real ones; a mode that has none counts as if it had half of one.

    Returns:
        inf where nothing that was made is of any mode.
    """
    if not made.sum():
        return Told(float("inf"))
    p = made.double() / made.sum()
    q = real.double().clamp(min=0.5)
    q = q / q.sum()
    return Told(float(torch.special.xlogy(p, p / q).sum()))


def named(real: Reference) -> str:
    return f"{real.name}@{real.digest[:6]}"


def read(metric: str, options: str) -> Asked:
    """Refuses options behind a metric's name: there are none.

    Raises:
        UserError: there are some.
    """
    if options:
        raise UserError(f"{metric}{options}: {metric} is asked for by its name alone: write {metric}.")
    return Asked()
