"""Items beside the very ones they should be: those of the same path."""

from __future__ import annotations

from collections import Counter

import torch

from ganlit.contracts import Collection
from ganlit.errors import UserError
from ganlit.metrics.gauges import Pairs, Shown
from ganlit.metrics.measure import Measured
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


def compare(pairs: Pairs, outputs: Collection, targets: Collection, made: str, bars: Bars) -> list[Measured]:
    """The mean of each metric over all pairs, with its standard error.

    Args:
        pairs: the metrics.
        outputs: what is measured.
        targets: what it should be.
        made: how the outputs were made, as ids say it.
        bars: where it is seen how far this is.
    """
    partner = partners(outputs, targets)
    advance = bars.counted(f"{outputs.name} beside {targets.name}", len(outputs))
    for places in torch.arange(len(outputs)).split(min(outputs.together, partner.together)):
        here = slice(int(places[0]), int(places[-1]) + 1)
        items, wanted = outputs[here].to(pairs.device), partner[here].to(pairs.device)
        pairs.add(Shown(items, places, None, made, target=wanted))
        advance(len(items))
    return pairs.finish()
