"""Which of many runs go on, and which are ended early, by what all of them have measured so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, NamedTuple

from ganlit.errors import UserError, within

Rule = Literal["hyperband", "median"]

OF_RULES: dict[Rule, tuple[str, ...]] = {
    "hyperband": ("min_iter", "max_iter", "s", "eta", "strict"),
    "median": ("min_iter", "n_startup_trials"),
}
"""The keys that a rule knows, beside its type."""

STARTUP = 5
"""Other runs, at least, whose median counts: as in Optuna's MedianPruner."""


class Ruling(NamedTuple):
    """Why a run is ended.

    Args:
        value: its best so far.
        bound: that it should have been no worse than.
        source: of the bound, in words, such as "the bracket of 3 validations kept".
        runs: that the bound is of.
    """

    value: float
    bound: float
    source: str
    runs: int

    def __str__(self) -> str:
        return f"{self.source} {self.bound:.4g}, of {self.runs} run{'s' * (self.runs > 1)}"


@dataclass(frozen=True)
class EarlyTerminate:
    """When a run is ended for being worse than those beside it, by the keys of W&B's sweeps.

    What W&B counts as iterations are validations in which the metric was measured; one that gave no finite number
    counts as the worst. A run is worth its best value so far, as its best checkpoint is.

    hyperband is successive halving without waiting (Hyperband, Li et al., arXiv 1603.06560; ASHA, Li et al., arXiv
    1810.05934): at each bracket the best 1/eta of all runs that have reached it go on. median, which W&B does not
    know, is that of Vizier (Golovin et al., KDD 2017, section 3.2.1): no worse than the median of what the others were
    on average up to the same validation.

    Args:
        metric: a column of metrics.csv, or the beginning of one protocol id, such as fid2k.
        goal: what is better.
        type: hyperband or median.
        min_iter: of hyperband the first bracket, min_iter, min_iter eta, min_iter eta^2, ...; of median the first
            validation at which a run may end.
        max_iter: instead of min_iter, the length of a whole run: the brackets are max_iter / eta, max_iter / eta^2, ...
        s: how many brackets, with max_iter.
        eta: of the runs that have reached a bracket, 1/eta go on.
        strict: judge a run again at each validation after a bracket, where later ones may have been better; else once.
        n_startup_trials: of median: other runs, at least, that have come as far.

    Raises:
        UserError: a value is out of its range, or belongs to another rule.
    """

    metric: str
    goal: Literal["minimize", "maximize"] = "minimize"
    type: Rule = "hyperband"
    min_iter: int | None = None
    max_iter: int | None = None
    s: int | None = None
    eta: float = 3
    strict: bool = False
    n_startup_trials: int = STARTUP

    def __post_init__(self) -> None:
        for key, least in {"min_iter": 1, "max_iter": 2, "s": 1}.items():
            within(f"early_terminate.{key}", getattr(self, key), least=least, optional=True)
        within("early_terminate.eta", self.eta, above=1)
        within("early_terminate.n_startup_trials", self.n_startup_trials, least=1)
        if self.type == "median":
            return
        if (self.min_iter is None) == (self.max_iter is None):
            raise UserError("early_terminate of type hyperband takes either min_iter, or max_iter and s: give one.")
        if (self.max_iter is None) != (self.s is None):
            raise UserError("early_terminate.s is the number of brackets below max_iter: give both or neither.")
        if self.max_iter is not None and self.max_iter < self.eta:
            raise UserError(
                f"early_terminate.max_iter is {self.max_iter}, which {self.eta:g} brackets do not fit into: raise it "
                "above eta."
            )

    def better_if_less(self, value: float) -> float:
        """A measured value as one that is the better the less it is; what is not finite is the worst."""
        return (value if self.goal == "minimize" else -value) if math.isfinite(value) else math.inf

    def brackets(self, count: int) -> list[int]:
        """Those of hyperband that a run of so many validations has reached, in their order."""
        if self.max_iter is not None:
            every = {int(self.max_iter / self.eta**power) for power in range(1, (self.s or 0) + 1)}
        else:
            powers = int(math.log(max(count / (self.min_iter or 1), 1), self.eta)) + 2
            every = {int((self.min_iter or 1) * self.eta**power) for power in range(powers)}
        return sorted(each for each in every if 1 <= each <= count)

    def judges(self, count: int, judged: int) -> int | None:
        """The number of validations by which a run is judged after `count` of them; None where it is not yet time.

        Args:
            count: validations with the metric.
            judged: as many as there were when it was last judged.
        """
        if self.type == "median":
            return count if count > judged and count >= (self.min_iter or 1) else None
        reached = self.brackets(count)
        return reached[-1] if reached and count > judged and (self.strict or reached[-1] > judged) else None

    def rule(self, own: Sequence[float], others: Sequence[Sequence[float]], count: int) -> Ruling | None:
        """Why a run ends by what it and others had measured after `count` validations; None where it goes on.

        Args:
            own: its values, in their order.
            others: those of each of the others; who has fewer than `count` is not asked.
            count: see `judges`.
        """
        value, *rest = ([self.better_if_less(each) for each in run[:count]] for run in (own, *others))
        rest = [run for run in rest if len(run) >= count]
        if self.type == "median":
            bound = median(sum(run) / count for run in rest) if len(rest) >= self.n_startup_trials else math.inf
            source, runs = f"the median after {count} validations is", len(rest)
        else:
            bests = sorted(map(min, [value, *rest]))
            bound = bests[int(len(bests) / self.eta)]  # as W&B reckons it
            source, runs = f"the bracket of {count} validations kept", len(bests)
        sign = 1 if self.goal == "minimize" else -1
        return Ruling(sign * min(value), sign * bound, source, runs) if min(value) > bound else None
