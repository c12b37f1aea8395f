"""What is asked of points in the plane, drawn from a mixture that is known, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ganlit.contracts import Modality, Reference
from ganlit.errors import UserError
from ganlit.metrics import modes
from ganlit.metrics.likeness import Plain
from ganlit.metrics.modes import Asked, named

READER = "nearest@3deviations/plane"
"""A point is one of the nearest mode if it is within three standard deviations of it: of high quality, papers say."""


def reached(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """How many modes have a point of high quality."""
    mixture = known(kind, real)
    return Plain(
        "", READER, named(real), lambda items: modes.reached(modes.counts(mixture.members(items), len(mixture.means)))
    )


def quality(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """Percent of the points that are of high quality."""
    mixture = known(kind, real)
    return Plain("", READER, named(real), lambda items: modes.share(mixture.members(items)))


def divergence(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """How unevenly the points of high quality spread over the modes: KL(made || even), in nats."""
    mixture = known(kind, real)
    even = torch.ones(len(mixture.means))

    def tell(items: Tensor) -> modes.Told:
        return modes.reverse_divergence(modes.counts(mixture.members(items), len(even)), even)

    return Plain("", READER, named(real), tell)


def known(kind: Any, real: Reference) -> Any:
    """The mixture that points are from.

    Raises:
        UserError: nobody knows.
    """
    if kind.mixture is None:
        raise UserError(
            f"Nobody knows of what mixture the points of {real.name} are: measure against the data of a configuration, "
            "or by fid."
        )
    return kind.mixture


PLAIN: dict[str, Callable[[Asked, Reference, Modality], Plain]] = {
    "modes": reached,
    "quality": quality,
    "rkl": divergence,
}

TRAINED: set[str] = set()

BETTER = {"modes": "higher", "quality": "higher", "rkl": "lower"}

read = modes.read
