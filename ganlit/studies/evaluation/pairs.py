"""Items beside the very ones they should be: those of the same path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch

from ganlit.contracts import Collection
from ganlit.errors import UserError
from ganlit.metrics.measure import Measured
from ganlit.metrics.paired import Comparison, estimate
from ganlit.metrics.protocol import Protocol
from ganlit.studies.evaluation.bars import Bars


def partners(outputs: Collection, targets: Collection) -> Collection:
    """The target of each output, in the order of the outputs.

    Raises:
        UserError: the sets do not have the same paths, or one of them has a path twice.
    """
    at = {path: place for place, path in enumerate(targets.paths)}
    every = outputs.whole
    for some in (every, targets):
        path, times = Counter(some.paths).most_common(1)[0]
        if times > 1:
            raise UserError(
                f"Paired metrics compare items of one path, but {some.name} has {times} of the path {path} with "
                "different suffixes: leave one of them there."
            )
    for some, others in ((every, targets), (targets, every)):
        if alone := sorted(set(some.paths) - set(others.paths)):
            raise UserError(
                f"Paired metrics compare items of one path, but {alone[0]} is in {some.name} and not in "
                f"{others.name}: give both the same paths, or leave psnr, ssim and lpips out."
            )
    return targets.chosen([at[path] for path in outputs.paths])


def compare(
    metrics: Sequence[str], outputs: Collection, targets: Collection, modality: str, device: torch.device, bars: Bars
) -> list[Measured]:
    """The mean of each metric over all pairs, with its standard error."""
    partner, comparison = partners(outputs, targets), Comparison(metrics, device, modality)
    advance = bars.counted(f"{outputs.name} beside {targets.name}", len(outputs))
    together = min(outputs.together, partner.together)
    for first in range(0, len(outputs), together):
        pairs = slice(first, first + together)
        items = outputs[pairs].to(device)
        comparison.add(items, partner[pairs].to(device))
        advance(len(items))
    found = []
    for name, scores in comparison.finish().items():
        metric, _, variant = name.partition("-")
        value, error, count = estimate(scores)
        reference = f"{targets.name}@{targets.digest[:6]}"
        protocol = Protocol(metric, count, variant, "-/-", reference, modality)
        found.append(Measured(protocol, value, error if count > 1 else None, f"{count} pairs"))
    return found
