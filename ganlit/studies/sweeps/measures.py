"""What a trial's metrics.csv says of the metric that a sweep names."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

from ganlit.errors import UserError
from ganlit.metrics.protocol import metric_of
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
        UserError: there are numbers, but none or several that could be meant, or the file is damaged.
    """
    path = folder / "metrics.csv"
    found = rows(path)
    if not found:
        return None
    column = choose(metric.name, list(found[0]), path)
    values = [value for row in found if row[column] and math.isfinite(value := float(row[column]))]
    return Measure(column, metric.best(values), values[-1]) if values else None


def choose(name: str, columns: list[str], source: Path) -> str:
    """The one column that is meant by a name.

    Args:
        name: a whole column, or the beginning of a protocol id: "fid", "fid2k", "fid2k/inception-2015-12-05@642bf592".
        columns: that there are.
        source: the file, for a refusal.
    """
    if name in columns:
        return name
    measures = [column for column in columns if "/" in column and "@" in column]
    found = [column for column in measures if meant(name, column)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"metric {name} may be any of {', '.join(found)} in {source}: write more of it in sweep.yaml.")
    there = ", ".join(measures or columns)
    raise UserError(f"metric {name} is not in {source}: name one of {there} in sweep.yaml.")


def meant(name: str, column: str) -> bool:
    """Whether a name is the beginning of a protocol id, whose parts end at slashes, or its metric without the count."""
    return column.startswith(f"{name}/") or metric_of(column) == name
