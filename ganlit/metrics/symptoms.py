"""What is wrong as a whole with what a generator makes of data, as numbers that need neither classes nor extractors."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

from ganlit.contracts import Sampled
from ganlit.metrics.ranks import gathered

FEW = 64  # items that are looked at, at most
SIDE = 8  # along each axis, of an item when it is told from others
POOLS = {3: adaptive_avg_pool1d, 4: adaptive_avg_pool2d, 5: adaptive_avg_pool3d}
STEPS = 255 / 2  # of 8 bits, in a unit of networks, for which items are from -1 to 1


class Traits(NamedTuple):
    """What is kept of each item of a batch until all have been seen."""

    places: Tensor  # [B]
    changed: Tensor  # [B]: mean squared difference of output and source; nan where these are of two shapes
    asked: Tensor  # [B]: the same of target and source
    means: Tensor  # [B, K, C]: of each channel, of the output and then of all that it may be like
    coarse: Tensor  # [B, 2, C, ...]: output and target in few numbers

    @classmethod
    def of(cls, sampled: Sampled, places: Tensor, in_pairs: bool) -> Traits:
        """Those of a batch.

        Args:
            sampled: a task's answer to it, of items [B, C, ...].
            places: of its items.
            in_pairs: whether each target is the source's own; else the mean of outputs may be that of sources, too.
        """
        output, target, source = sampled.output, sampled.reference, sampled.source
        comparable = source.shape == output.shape == target.shape
        unknown = torch.full((len(output),), torch.nan)
        like = [target] if in_pairs or source.shape[1] != output.shape[1] else [target, source]
        found = cls(
            places,
            squared(output, source) if comparable else unknown,
            squared(target, source) if comparable else unknown,
            torch.stack([each.flatten(2).mean(2) if each.ndim > 2 else each for each in (output, *like)], 1),
            torch.stack([coarse(output), coarse(target)], 1),
        )
        return cls(*(trait.detach().cpu() for trait in found))


class Symptoms:
    """Looks at the first of the items that are measured; every rank shows it its share.

    The numbers are by name: `identity`, `variety` and `drift`, as below. They are found on rank 0, and do not depend
    on how many ranks there are.

    Args:
        in_pairs: whether each target is the source's own.
    """

    def __init__(self, in_pairs: bool = True) -> None:
        self.in_pairs = in_pairs
        self.seen: list[Traits] = []

    def add(self, sampled: Sampled, places: Tensor) -> None:
        """Takes a batch, if it is one of the first, and was made from something."""
        if sampled.source is not None and (not self.seen or int(places[0]) < FEW):
            self.seen.append(Traits.of(sampled, places, self.in_pairs))

    def finish(self, device: torch.device) -> dict[str, float]:
        """The numbers that there are and that are finite, on rank 0; elsewhere none. All ranks ask together.

        Args:
            device: on which the ranks can exchange tensors.
        """
        if not self.seen:
            return {}
        traits = Traits(*(gathered(torch.cat(parts), device) for parts in zip(*self.seen, strict=True)))
        order = traits.places.argsort()
        if not len(order):  # the first rank has them all
            return {}
        first = Traits(*(trait[order][:FEW] for trait in traits))
        values = {
            "identity": identity(first.changed, first.asked),
            "variety": variety(*first.coarse.unbind(1)),
            "drift": drift(*first.means.unbind(1)),
        }
        return {name: value for name, value in values.items() if math.isfinite(value)}


def identity(changed: Tensor, asked: Tensor) -> float:
    """How far outputs are from their sources, as a share of how far targets are; nan where these are the sources.

    Args:
        changed: [N] mean squared differences of outputs and sources.
        asked: [N] those of targets and sources.
    """
    return float((changed.mean() / asked.mean()).sqrt()) if asked.mean() > 0 else math.nan


def variety(outputs: Tensor, targets: Tensor) -> float:
    """How far outputs [N, ...] are from one another, as a share of how far targets are; nan where these are alike."""
    among = [items.double().var(0, correction=0).mean().sqrt() for items in (outputs, targets)]
    return float(among[0] / among[1]) if among[1] > 0 else math.nan


def drift(outputs: Tensor, *like: Tensor) -> float:
    """How far the mean of a channel is, in steps of 8 bits, from that of what outputs should be like.

    Of several that it may be like, from the nearest; of several channels, that of the one which is farthest.

    Args:
        outputs: [N, C] means of each channel.
        like: the same of each that outputs may be like.
    """
    return min(float((outputs - each).mean(0).abs().max()) for each in like) * STEPS


def squared(one: Tensor, other: Tensor) -> Tensor:
    """Mean squared differences [B] of items [B, ...]."""
    return (one - other).square().flatten(1).mean(1)


def coarse(items: Tensor) -> Tensor:
    """Items [B, C, ...] in as many numbers whatever their size: averaged, or repeated, along all but the channels."""
    return POOLS[items.ndim](items, (SIDE,) * (items.ndim - 2)) if items.ndim > 2 else items
