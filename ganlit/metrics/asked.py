"""Whether what is asked for can be had: told before anything is trained, made or seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ganlit.contracts import Reference
from ganlit.errors import UserError
from ganlit.metrics.groups import Group, Real, Side
from ganlit.metrics.measure import METRICS
from ganlit.metrics.passes import Pass
from ganlit.metrics.reality import Reality
from ganlit.records.cache import Say


def require(metrics: list[str], count: int, given: str, classes: int = 0) -> None:
    """Refuses too few generated items before they are made.

    Args:
        metrics: by name.
        count: of the items.
        given: where that stands, for the error: "--count is 5".
        classes: that they are made for.

    Raises:
        UserError: a metric needs more.
    """
    for metric in metrics:
        asked = METRICS[metric]
        least = max(asked.least, classes + 1) if asked.within_classes else asked.least  # so that some class has two
        if count < least:
            raise UserError(f'{given}, and "{metric}" needs {least}: take more, or do not measure "{metric}".')


def require_real(groups: Sequence[Group], sides: Mapping[Side, Real]) -> None:
    """Refuses too few real items before anything is trained, made or seen.

    Raises:
        UserError: a metric that is to be had of such items needs more of them.
    """
    for group in groups:
        if group.kind == "sets":
            for metric in group.metrics:
                _require_real(metric, sides[group.side].held_against(metric))


def _require_real(metric: str, reference: Reference) -> None:
    asked, count, where = METRICS[metric], len(reference.items), ""
    without = _without_classes(reference)
    if metric not in without and asked.within_classes:
        count, where = int(reference.labels.bincount().max()), " in the largest of its classes"
    if metric not in without and count < asked.real:
        items = "item" if count == 1 else "items"
        raise UserError(
            f'{reference.name} has {count} real {items}{where}, and "{metric}" needs {asked.real}: add some, or do '
            f'not measure "{metric}".'
        )


def unavailable(metrics: list[str], real: Reality, conditional: bool) -> dict[str, str]:
    """Why some of the metrics cannot be had, by name.

    Args:
        real: the real items.
        conditional: whether the generated items were made for, or of items of, a class each.
    """
    reasons = {} if real.extractor.classes else {"is": f"the weights of {real.extractor.name} have no classifier head"}
    unlabelled = dict.fromkeys(("class-fid", "kept"), "the generated items were not made for a class each")
    reasons |= {} if conditional else unlabelled
    reasons |= _without_classes(real.reference)
    return {metric: reasons[metric] for metric in metrics if metric in reasons}


def lacking(each: Sequence[Pass], conditional: bool, key: str, say: Say, beside: bool = False) -> list[dict[str, str]]:
    """Why some of the metrics cannot be had, by pass and name, after a line for each of them.

    Args:
        each: the passes.
        conditional: whether the generated items are made for, or of items of, a class each.
        key: where the metrics are given, for the error.
        say: told what cannot be had.
        beside: whether something else will be measured beside them.

    Raises:
        UserError: there is nothing that can.
    """
    missing = [unavailable(one.metrics, one.real, conditional) for one in each]
    reasons = [
        f"{one.group.name(metric)}, for {reason}"
        for one, some in zip(each, missing, strict=True)
        for metric, reason in some.items()
    ]
    if not beside and len(reasons) == sum(len(one.metrics) for one in each):
        raise UserError(f"{key} leaves nothing to measure: not {', nor '.join(reasons)}; name others.")
    for reason in dict.fromkeys(reasons):
        say(f"not measured: {reason}")
    return missing


def _without_classes(reference: Reference) -> dict[str, str]:
    """Why metrics of classes cannot be had, by name."""
    if len(reference.classes) > 1:
        return {}
    what = "one class alone" if reference.classes else "no classes"
    return dict.fromkeys(("probe", "kept", "class-fid", "steady"), f"{reference.name} has {what}")
