"""What a trial's metrics.csv says of the metric that a sweep names."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

from ganlit.metrics.columns import choose
from ganlit.records.numbers import rows
from ganlit.studies.sweeps.definition import Metric


class Measure(NamedTuple):
    """The metric of one run."""

    column: str
    best: float
    last: float


def measure(folder: Path, metric: Metric) -> Measure | None:
    """The metric of a run; None where it has not been measured yet.

    Args:
        folder: the run directory.
        metric: what to look for.

    Raises:
        Damaged: its file is.
        UserError: there are numbers, but none or several that could be meant.
    """
    path = folder / "metrics.csv"
    found = rows(path)
    if not found:
        return None
    column = choose(metric.name, list(found[0]), path)
    values = [value for row in found if row[column] and math.isfinite(value := float(row[column]))]
    return Measure(column, metric.best(values), values[-1]) if values else None
