"""Who is better where: qualities at equal variety, seed by seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, groupby
from typing import Literal, NamedTuple

import numpy as np

Better = Literal["lower", "higher"]

PLACES = 101  # at which qualities are compared, from one end of what both have to the other


class Axis(NamedTuple):
    """A number of the plane."""

    title: str  # "BLEU-3"
    better: Better


class Arm(NamedTuple):
    """Runs that differ in nothing but the seed, at every temperature.

    Args:
        name: what differs from other arms.
        temperatures: [T].
        quality: [S, T], by seed.
        variety: [S, T].
    """

    name: str
    temperatures: Sequence[float]
    quality: np.ndarray
    variety: np.ndarray

    @property
    def seeds(self) -> str:
        return f"{len(self.quality)} seed{'s' * (len(self.quality) > 1)}"

    @property
    def reach(self) -> tuple[float, float]:
        """The least and the largest variety that all seeds come to."""
        return float(self.variety.min(1).max()), float(self.variety.max(1).min())

    def at(self, places: np.ndarray) -> np.ndarray:
        """Qualities [S, P] at varieties [P], by straight lines between temperatures."""
        rows = []
        for quality, variety in zip(self.quality, self.variety, strict=True):
            order = variety.argsort()
            rows.append(np.interp(places, variety[order], quality[order]))
        return np.array(rows)


def verdicts(arms: Sequence[Arm], quality: Axis, variety: Axis) -> list[str]:
    """A sentence for every two arms."""
    return [verdict(*pair, quality, variety) for pair in combinations(arms, 2)]


def verdict(one: Arm, other: Arm, quality: Axis, variety: Axis) -> str:
    """Which of two arms is better at which variety.

    One is better at a place where the worst of its seeds is better than the best of the other's: of two times three
    seeds that are all alike, one in twenty is so ordered by chance.

    Args:
        one: an arm.
        other: another.
        quality: what is compared.
        variety: what is equal there.
    """
    low, high = max(one.reach[0], other.reach[0]), min(one.reach[1], other.reach[1])
    if not low < high:
        reaches = " and ".join(f"{arm.name} from {arm.reach[0]:.3g} to {arm.reach[1]:.3g}" for arm in (one, other))
        return f"No temperature makes {variety.title} equal, with all seeds {reaches}: nobody has won."
    places = np.linspace(low, high, PLACES)
    sides = one.at(places), other.at(places)
    signed = [side if quality.better == "higher" else -side for side in sides]
    ahead = np.where(signed[0].min(0) > signed[1].max(0), 1, np.where(signed[1].min(0) > signed[0].max(0), -1, 0))
    gap = np.abs(sides[0].mean(0) - sides[1].mean(0))
    where = f"At equal {variety.title}, from {low:.3g} to {high:.3g},"
    if not ahead.any():
        both = f"{one.name} nor {other.name}"
        return f"{where} neither {both} has the better {quality.title}: their seeds overlap all along."
    parts = [_told(arm, sign, ahead, gap, places, quality) for arm, sign in ((one, 1), (other, -1))]
    undecided = float((ahead == 0).mean())
    alone = min(len(one.quality), len(other.quality)) == 1
    rest = "" if alone or not undecided else f"; in {undecided:.0%} of that range their seeds overlap"
    doubt = f" ({one.seeds} against {other.seeds}, so nobody knows what chance does)" if alone else ""
    return f"{where} {quality.title} is better by all seeds with {' and with '.join(parts)}{rest}{doubt}."


def _told(arm: Arm, sign: int, ahead: np.ndarray, gap: np.ndarray, places: np.ndarray, quality: Axis) -> str:
    where = [*_stretches(ahead == sign)]
    if not where:
        return f"{arm.name} nowhere"
    if bool((ahead == sign).all()):
        return f"{arm.name} everywhere, by {gap.mean():.2g} in the mean"
    spans = ", ".join(f"from {places[first]:.3g} to {places[last]:.3g}" for first, last in where)
    return f"{arm.name} {spans}, by {gap[ahead == sign].mean():.2g} in the mean there"


def _stretches(holds: np.ndarray) -> Iterator[tuple[int, int]]:
    """The first and the last place of every row of places at which something holds."""
    for value, some in groupby(range(len(holds)), key=lambda place: bool(holds[place])):
        if value:
            found = [*some]
            yield found[0], found[-1]
