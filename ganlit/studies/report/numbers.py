"""What is compared: the ids of the metrics asked for, what a run has of each, and the mean over seeds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cmp_to_key
from typing import NamedTuple

import numpy as np

from ganlit.errors import UserError, printable
from ganlit.metrics.measure import BETTER, METRICS, improves
from ganlit.metrics.protocol import aside, called, difference, making_of, metric_of
from ganlit.studies.report.record import Curve, Run

BESIDE = BETTER.keys() - {metric.first for metric in METRICS.values()}
"""Metrics that are shown beside FID unasked: of each item by itself, or of what is inside a generator."""


class Mean(NamedTuple):
    """Of the runs of one setting.

    Args:
        value: nan of none.
        spread: the standard deviation of a sample, by n - 1; None of fewer than two.
        count: of values.
    """

    value: float
    spread: float | None
    count: int

    def __str__(self) -> str:
        """As many decimals as the spread gives a meaning to: "15.27 ± 0.41"."""
        if not self.count:
            return "–"  # noqa: RUF001
        if not self.spread:
            return f"{self.value:.4g}" if not 1e4 <= abs(self.value) < 1e9 else f"{self.value:.0f}"
        if not max(abs(self.value), self.spread) < 1e9:
            return f"{self.value:.4g} ± {self.spread:.2g}"
        decimals = min(max(1 - math.floor(math.log10(self.spread)), 0), 6)
        return f"{self.value:.{decimals}f} ± {self.spread:.{decimals}f}"


def mean(values: Sequence[float]) -> Mean:
    """Mean and standard deviation of a sample."""
    with np.errstate(over="ignore", invalid="ignore"):  # of numbers near the largest, nothing can be said
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
        return Mean(float(np.mean(values)) if values else math.nan, spread, len(values))


class Measures(NamedTuple):
    """The ids of the metrics that are compared, those of the first that was asked for first, then the most frequent.

    Args:
        curves: measured again and again, in validation.
        closing: measured once at the end.
    """

    curves: list[str]
    closing: list[str]

    @property
    def ids(self) -> list[str]:
        return [*self.curves, *self.closing]

    @property
    def metrics(self) -> list[str]:
        return [*dict.fromkeys(map(metric_of, self.ids))]

    def title(self, name: str) -> str:
        """What a column calls an id: "fid2k", "rfid2k", "fid2k:prior"; with a letter where several are called so."""
        short = printable(_short(name))
        same = [other for other in self.ids if printable(_short(other)) == short]
        return f"{short} ({'abcdefghijklmnopqrstuvwxyz'[same.index(name) % 26]})" if len(same) > 1 else short

    def note(self, name: str) -> str:
        """The whole id, and what keeps it apart from the first one of its title."""
        same = next(other for other in self.ids if _short(other) == _short(name))
        apart = "" if name == same else f", not comparable with {self.title(same)}: {difference(name, same)}"
        return printable(name + apart)


def measures(runs: Sequence[Run], metric: str | None) -> Measures:
    """The ids of the metrics that runs have.

    Args:
        runs: all that are reported.
        metric: "fid" for all of them, "rfid" for those of reconstructions, "fid:prior" for those of items from a prior,
            "fid2k" for those of a number of items, or one whole id; several with commas between them. FID where it is
            None, or the first metric that there is, and `BESIDE`.

    Raises:
        UserError: no run has one.
    """
    known = [*dict.fromkeys(name for run in runs for name in run.curves)]
    chosen: dict[str, int] = {}  # ids, and the place of what has asked for them
    for place, asked in enumerate(_asked(metric, known)):
        for name in _meant(asked, known):
            chosen.setdefault(name, place)
    curves: Counter[str] = Counter()
    closing: Counter[str] = Counter()
    for run in runs:
        begun = set()
        for name in run.curves:
            if name in chosen:  # validation comes first, and comes again
                again = _family(name) in begun and len(run.curves[name]) == 1
                (closing if again else curves)[name] += 1
                begun.add(_family(name))
    ends = [name for name, count in closing.items() if count > curves[name]]
    order = [sorted(each, key=lambda name: (chosen[name], -each[name])) for each in (curves, closing)]
    return Measures([name for name in order[0] if name not in ends], [name for name in order[1] if name in ends])


def _asked(metric: str | None, known: Sequence[str]) -> list[str]:
    """The metrics that are compared, by what they are called."""
    if metric is not None:
        return [metric] if metric in known else metric.split(",")
    metrics = [*dict.fromkeys(map(metric_of, known))]
    first = ["fid"] if "fid" in metrics else metrics[:1]
    return first + [each for each in metrics if each in BESIDE]


def _meant(asked: str, known: Sequence[str]) -> list[str]:
    """The ids that are called so.

    Raises:
        UserError: there are none.
    """
    found = [name for name in known if asked in _callings(name)]
    if not found:
        names = [*dict.fromkeys(calling for name in known for calling in _callings(name)[:-1])]
        close = get_close_matches(asked, [*names, *known], 1)
        there = ", ".join(dict.fromkeys(map(_short, known))) or "no numbers yet"
        advice = f"did you mean {close[0]}?" if close else f"there are {there}."
        raise UserError(f"--metric {asked or repr(asked)}: no run has it; {advice}")
    return [name for name in found if name.count("/") < 5 or name == asked] or found  # classes each by themselves


def _family(name: str) -> tuple[str, str, str]:
    """What the numbers of validation and test have in common: metric, extractor by its name, and making."""
    return metric_of(name), name.split("/")[1].partition("@")[0], "".join(name.split("/")[4:5])


def _short(name: str) -> str:
    """An id without what it is measured with: "fid2k", "rfid2k" of reconstructions, "fid2k:prior"."""
    return called(name).lower() + name.split("/")[0].removeprefix(metric_of(name)) + aside(name)


def _callings(name: str) -> list[str]:
    """How an id may be asked for: "kid", "kid2k", "kid2k-100x1000", those of one making alone, and as it is."""
    metric = metric_of(name)
    variant = name.split("/")[0].removeprefix(metric)
    heads = dict.fromkeys((metric, called(name).lower()))
    plain = [f"{head}{rest}" for rest in ("", variant.split("-")[0], variant) for head in heads]
    making = making_of(name)
    return [*plain, *(f"{each}:{making}" for each in plain if making), name]


def best(name: str, curve: Curve) -> tuple[float, float]:
    """Kimg and value where the number of this id was best, the first time."""
    found = curve[0]
    for point in curve:
        if improves(name, point[1], found[1]):
            found = point
    return found


def last(curve: Curve) -> float:
    return curve[-1][1]


def ranked(name: str, values: Sequence[float]) -> list[int]:
    """Indices of values of an id, the best first, those that are no number last."""

    def before(one: int, other: int) -> int:
        a, b = values[one], values[other]
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) - math.isnan(b)
        return improves(name, b, a) - improves(name, a, b)

    return sorted(range(len(values)), key=cmp_to_key(before))


class Band(NamedTuple):
    """A curve of several seeds: the mean of those that have come so far, and their standard deviation."""

    kimg: np.ndarray
    mean: np.ndarray
    spread: np.ndarray  # 0 of one seed


def band(curves: Sequence[Curve]) -> Band:
    """Mean and standard deviation over runs at every kimg at which one was measured, straight lines between."""
    grid = np.unique([kimg for curve in curves for kimg, _ in curve])
    rows = [np.interp(grid, *zip(*curve, strict=True), left=np.nan, right=np.nan) for curve in curves]
    table = np.ma.masked_invalid(rows)
    several = table.count(0) > 1
    spread = np.zeros(len(grid))
    spread[several] = table[:, several].std(0, ddof=1).filled(0) if several.any() else 0
    return Band(grid, table.mean(0).filled(np.nan), spread)


def ranks(values: Sequence[float]) -> np.ndarray:
    """1 for the least; equal values share the mean of their ranks."""
    array = np.asarray(values, float)
    return (array[:, None] > array).sum(1) + ((array[:, None] == array).sum(1) + 1) / 2


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Correlation of ranks; 0 where one side has but one value."""
    a, b = (ranks(side) - (len(side) + 1) / 2 for side in (one, other))
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / scale if scale else 0.0


def correlation_ratio(labels: Sequence[str], values: Sequence[float]) -> float:
    """Which share of the ranks' deviation lies between classes, as a square root: 1 where the class tells the rank."""
    found = ranks(values) - (len(values) + 1) / 2
    total = float(found @ found)
    groups = [found[[each == label for each in labels]] for label in set(labels)]
    return math.sqrt(sum(len(each) * float(each.mean()) ** 2 for each in groups) / total) if total else 0.0
