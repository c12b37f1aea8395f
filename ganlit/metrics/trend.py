"""What a few successive values of one number tell: how noisy they are, which was best, how often they turn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganlit.metrics.measure import improves

FOR_A_SPREAD = 4
"""Values, at least, of which a spread is told."""


def spread(values: Sequence[float]) -> float | None:
    """Standard deviation of the noise in values that also go somewhere; None of too few.

    From differences of successive ones (von Neumann 1941), so that a trend does not count; from their median, so that
    neither does one leap: it is that of normal noise.
    """
    if len(values) < FOR_A_SPREAD:
        return None
    return float(np.median(np.abs(np.diff(values))) / (0.6745 * 2**0.5))


def best_of(name: str, values: Sequence[float]) -> int:
    """The place of the first value that no other is better than, of a number of this id.

    Raises:
        ValueError: there is none.
    """
    if not values:
        raise ValueError("there are no values")
    place = 0
    for index, value in enumerate(values):
        if improves(name, value, values[place]):
            place = index
    return place


def worse(name: str, value: float, than: float) -> float:
    """By how much a value of the number of this id is worse; negative where it is better."""
    return value - than if improves(name, 0.0, 1.0) else than - value


def last_better(name: str, values: Sequence[float], margin: float = 0.0) -> int:
    """The place of the value that was the last to be better than all before it by more than a margin; 0 where none."""
    place = 0
    for index, value in enumerate(values):
        if worse(name, values[place], value) > margin:
            place = index
    return place


def turns(values: Sequence[float], least: float) -> int:
    """How often values change their direction, by swings of more than `least`: smaller ones are nothing."""
    found, direction, extreme = 0, 0, values[0] if values else 0.0
    for value in values:
        way = (value > extreme) - (value < extreme)
        if way == direction:
            extreme = value
        elif abs(value - extreme) > least:
            found += direction != 0
            direction, extreme = way, value
    return found
