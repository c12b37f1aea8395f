"""Which classes are met among generated images, where each channel shows something of its own, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.contracts import Modality, Reference
from ganlit.errors import UserError
from ganlit.metrics import modes
from ganlit.metrics.filters import described, filters
from ganlit.metrics.likeness import Plain
from ganlit.metrics.modes import Asked, named
from ganlit.metrics.portrait import fixed_choice
from ganlit.metrics.probe import Probe, fit_probe

LEARNT = 5000  # channels of real images that the classifier learns from
AT_ONCE = 32  # so few that what filters make of them stays in fast memory
LEAST = 50  # real images


class Judge(NamedTuple):
    """Tells the class of an image by those of its channels, each of which has one of `base` kinds."""

    probe: Probe
    filters: Tensor
    base: int

    def members(self, images: Tensor) -> Tensor:
        """Of stored images [N, C, H, W] the class [N] int64 that its channels make, as a number of that base."""
        found = []
        for part in images.split(AT_ONCE):
            kinds = self.probe.probabilities(looks(part, self.filters)).argmax(1).view(len(part), -1)
            number = torch.zeros_like(kinds[:, 0])
            for kind in kinds.unbind(1):
                number = number * self.base + kind
            found.append(number)
        return torch.cat(found)


def looks(images: Tensor, filters: Tensor) -> Tensor:
    """Features [N C, 768] of the channels of uint8 images [N, C, H, W]."""
    return described(images.cpu().flatten(0, 1)[:, None].float() / 255, filters)


@lru_cache(maxsize=2)  # which several metrics ask for
def judge(real: Reference) -> Judge:
    """What has learnt from the real images to tell what is in a channel.

    Raises:
        UserError: classes are not made of what channels show.
    """
    shape, classes = real.items[:1].shape, len(real.classes)
    base = round(classes ** (1 / shape[1])) if len(shape) == 4 else 0
    if base < 2 or base ** shape[1] != classes or len(real.items) < LEAST:
        raise UserError(
            f"modes and rkl count classes that are made of what each channel shows, and {real.name} has {classes} "
            f"classes of {shape[1]} channels: leave them out, or take StackedDigits with its labels."
        )
    places = fixed_choice(len(real.items), -(-LEARNT // shape[1])).sort().values
    seen = filters()
    rows = torch.cat([looks(real.items[part], seen) for part in places.split(AT_ONCE)])
    powers = base ** torch.arange(shape[1] - 1, -1, -1)
    kinds = real.labels[places, None].div(powers, rounding_mode="floor") % base
    return Judge(fit_probe(rows, kinds.flatten(), base), seen, base)


def reached(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """How many of all classes are met."""
    told = judge(real)
    return Plain("", reader(told), named(real), lambda items: modes.reached(tally(told, real, items)))


def divergence(asked: Asked, real: Reference, kind: Modality) -> Plain:
    """How unlike the real ones' classes those that are met are spread: KL(made || real), in nats."""
    told = judge(real)
    real_ones = real.labels.bincount(minlength=len(real.classes))
    return Plain(
        "", reader(told), named(real), lambda items: modes.reverse_divergence(tally(told, real, items), real_ones)
    )


@lru_cache(maxsize=1)  # which both metrics ask for
def tally(told: Judge, real: Reference, items: Tensor) -> Tensor:
    """How many images [K] are of each class."""
    return modes.counts(told.members(items), len(real.classes))


def reader(told: Judge) -> str:
    """The classifier, and what share of what it had not seen it tells right."""
    return f"filters{len(told.filters)}@{told.probe.accuracy:.1%}/channels".replace("%", "pct")


PLAIN: dict[str, Callable[[Asked, Reference, Modality], Plain]] = {"modes": reached, "rkl": divergence}

TRAINED: set[str] = set()

BETTER = {"modes": "higher", "rkl": "lower"}

read = modes.read
