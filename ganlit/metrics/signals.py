"""How a training is, as numbers that cost next to nothing: what of it can be told before a score tells it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.contracts import Sampled
from ganlit.metrics.ranks import gathered
from ganlit.metrics.symptoms import coarse, variety

PREFIX = "signal/"
"""Of the name by which a signal is logged."""

SIGNALS = {
    "overlap": "how often D takes a generated item for more real than a real one, doubled: 1 is no idea, 0 never wrong",
    "overfit": "how much more real D finds items that it has learnt than held-out ones: 0 no more, 1 each of them",
    "gradient-ratio": "norm of G's gradient as a share of that of D's",
    "cosine-discriminator": "of two successive gradients of D: 1 is straight on, below 0 forth and back",
    "cosine-generator": "of two successive gradients of G: 1 is straight on, below 0 forth and back",
    "variety": "how far outputs are from one another, as a share of how far real items are: 0 is one thing of all",
    "reached": "share of real items that are the nearest of some output: 0.6 where all is made, near 0 of one thing",
    "duplicates": "share of outputs that have a twin, ten times nearer than real items have",
    "mean": "how far the mean of outputs is from that of real items, in spreads of these: 0 is right",
    "energy": "root mean square of outputs as a share of that of real items: 1 is right",
    "moved": "how far G is from its average, as a share of the average's length: how far it goes in a half-life",
    "skipped": "share of turns since the last validation whose step was not taken, since something was not finite",
}
"""What each signal says, by its name without the prefix; D and G are the players."""

FEW = 256  # items that are looked at, at most
TWIN = 0.1  # of the usual distance of a real item to the nearest other one


class Looks(NamedTuple):
    """What is kept of each item of a batch until all have been seen."""

    places: Tensor  # [B]
    made: Tensor  # [B, F]: the output in few numbers
    real: Tensor  # [B, F]: the same of its reference
    squares: Tensor  # [B, 2]: means of squares of both

    @classmethod
    def of(cls, made: Tensor, real: Tensor, places: Tensor) -> Looks:
        """Those of a batch.

        Args:
            made: what the generator gives, [B, ...] float.
            real: the same of real items.
            places: of both.
        """
        made, real = made.detach().float(), real.detach().float()
        squares = torch.stack([each.square().flatten(1).mean(1) for each in (made, real)], 1)
        return cls(places, *(each.cpu() for each in (coarse(made).flatten(1), coarse(real).flatten(1), squares)))


class Watched:
    """Looks at the first of the items that are measured; every rank shows it its share.

    The numbers are the signals that need nothing but items. They are found on rank 0, and do not depend on how many
    ranks there are.

    Args:
        traits: what items [B, ...] are told apart by, if they can be: that of a `Modality`.
    """

    def __init__(self, traits: Callable[[Tensor], Tensor | None]) -> None:
        self.traits = traits
        self.seen: list[Looks] = []

    def add(self, sampled: Sampled, places: Tensor) -> None:
        """Takes a batch, if it is one of the first, of items that have one size and can be told apart."""
        if self.seen and int(places[0]) >= FEW:
            return
        made, real = self.traits(sampled.output), self.traits(sampled.reference)
        if made is not None and real is not None and made.shape[1:] == real.shape[1:]:
            self.seen.append(Looks.of(made, real, places))

    def finish(self, device: torch.device) -> dict[str, float]:
        """The numbers that there are and that are finite, on rank 0; elsewhere none. All ranks ask together.

        Args:
            device: on which the ranks can exchange tensors.
        """
        if not self.seen:
            return {}
        looks = Looks(*(gathered(torch.cat(parts), device) for parts in zip(*self.seen, strict=True)))
        order = looks.places.argsort()[:FEW]
        if not len(order):  # the first rank has them all
            return {}
        _, made, real, squares = Looks(*(look[order] for look in looks))
        root = squares.double().mean(0).sqrt()
        values = {
            "variety": variety(made, real),
            "reached": reached(made, real),
            "duplicates": duplicates(made, real),
            "mean": displaced(made, real),
            "energy": float(root[0] / root[1]) if root[1] > 0 else math.nan,
        }
        return {name: value for name, value in values.items() if math.isfinite(value)}


def overlap(real: Tensor, fake: Tensor) -> float:
    """How often a logit of a fake item is above one of a real item, doubled: 1 where nobody tells them apart.

    It is the area under the curve of ROC, which no shift and no scale of logits changes; nan of none.

    Args:
        real: logits [N].
        fake: logits [M].
    """
    if not len(real) or not len(fake) or not bool(real.isfinite().all() & fake.isfinite().all()):
        return math.nan
    above = fake[:, None] - real
    return float(2 * ((above > 0).double() + 0.5 * (above == 0).double()).mean())


def overfit(trained: Tensor, held_out: Tensor) -> float:
    """How much more real items seem that were learnt: 0 as real as others, 1 each above all others.

    It stands for ADA's r_v, (E[D_train] - E[D_val]) / (E[D_train] - E[D_gen]) (arXiv 2006.06676, equation 1), with
    ranks for means, which no denominator makes arbitrary.

    Args:
        trained: logits [N] of items that are trained on.
        held_out: logits [M] of others.
    """
    return 1 - overlap(trained, held_out)


def reached(made: Tensor, real: Tensor) -> float:
    """Share of real items that are the nearest one of some generated item; nan where all real ones are alike.

    Of as many items that are like them it is 1 - 1 / e, about 0.63: how good they are it does not ask, which is why it
    tells of lost modes before any are well made. Coverage (arXiv 2002.09797), which asks, takes one grey item for
    near to all.

    Args:
        made: items [N, F].
        real: items [M, F].
    """
    if not made.isfinite().all() or not (real != real[0]).any():
        return math.nan
    return len(torch.cdist(made, real).argmin(1).unique()) / len(real)


def duplicates(made: Tensor, real: Tensor) -> float:
    """Share of items [N, F] with a twin among themselves; nan where most real ones [M, F] have one."""
    if min(len(made), len(real)) < 2 or not made.isfinite().all():
        return math.nan
    usual = nearest(real).median()
    return float((nearest(made) < TWIN * usual).double().mean()) if usual > 0 else math.nan


def nearest(items: Tensor) -> Tensor:
    """How far [N] each of some items [N, F] is from the nearest other one."""
    return torch.cdist(items, items).fill_diagonal_(math.inf).amin(1)


def displaced(made: Tensor, real: Tensor) -> float:
    """How far the mean of items [N, F] is from that of real ones [M, F], in spreads of these; nan where they have none.

    Mean and spread are root mean squares over F.
    """
    made, real = made.double(), real.double()
    spread = real.var(0, correction=0).mean().sqrt()
    return float((made.mean(0) - real.mean(0)).square().mean().sqrt() / spread) if spread > 0 else math.nan


def cosine(one: list[Tensor], other: list[Tensor]) -> float:
    """Of two gradients, each a tensor for every parameter; nan where one is zero."""
    sums = [torch.stack([(a * b).sum(), a.square().sum(), b.square().sum()]) for a, b in pairs(one, other)]
    inner, first, second = torch.stack(sums).double().sum(0).tolist()
    return inner / math.sqrt(first * second) if first * second > 0 else math.nan


def apart(one: list[Tensor], other: list[Tensor]) -> float:
    """How far parameters are from others, as a share of the others' length; nan where that is zero."""
    squares = torch.stack([torch.stack([(a - b).square().sum(), b.square().sum()]) for a, b in pairs(one, other)])
    distance, length = squares.double().sum(0).tolist()
    return math.sqrt(distance / length) if length > 0 else math.nan


def pairs(one: list[Tensor], other: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    return [(a.detach().float(), b.detach().float()) for a, b in zip(one, other, strict=True)]
