"""How far images are from others: by pixels, or by what a network sees in them."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from ganlit.contracts import Verdict
from ganlit.errors import UserError
from ganlit.losses.base import Attempt
from ganlit.losses.images.perceptual import Perceptual
from ganlit.studies.latent.subject import Subject

PIXELS = "pixels"

Distance = Callable[[Tensor, Tensor], Tensor]
"""The sum over items of their distances, of outputs and targets [B, C, H, W] of [-1, 1]."""


def squares(output: Tensor, target: Tensor) -> Tensor:
    """Mean squared differences of pixels."""
    return (output - target).square().flatten(1).mean(1).sum()


def measured(subject: Subject, distance: str, example: Tensor) -> Distance:
    """A distance by its name: pixels, or an extractor.

    Raises:
        UserError: there is no such extractor, or it cannot see such images.
    """
    if distance == PIXELS:
        return squares
    if example.shape[1] not in (1, 3):
        raise UserError(f"--distance {distance}: these images have {example.shape[1]} channels: take pixels.")
    criterion = Perceptual(distance)

    def far(output: Tensor, target: Tensor) -> Tensor:
        attempt = Attempt(target, Verdict(lambda items: items, target, output))
        return criterion(attempt) * len(output)

    one = subject.kind.to_network(example.to(subject.device))
    far(one, one)  # which refuses what cannot be seen
    return far
