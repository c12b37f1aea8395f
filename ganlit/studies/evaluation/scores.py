"""How measured numbers are told, kept in a file and compared with those of another."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from ganlit.compute.console import fold_last
from ganlit.errors import UserError
from ganlit.metrics.measure import Measured
from ganlit.metrics.protocol import difference, metric_of
from ganlit.records.durable import replacing

NARROW = 40  # of the ids: where the screen folds them, the other columns give way first

Scores = dict[str, float]
"""Values by protocol id."""


def table(found: Sequence[Measured], before: Scores | None = None) -> Table:
    """A row for each number; with those of before, how far it has moved."""
    columns = ["metric", "value", "spread of"] + ["change"] * (before is not None) + ["id"]
    drawn = Table(*columns, box=None, pad_edge=False)
    drawn.columns[1].justify = "right"
    for column in drawn.columns[:2]:
        column.no_wrap = True
    fold_last(drawn, NARROW)
    for each in found:
        part = f" {each.protocol.part}" if each.protocol.part else ""
        change = [] if before is None else [moved(each, before)]
        cells = [each.metric + part, figures(each), each.of, *change, str(each.protocol)]
        drawn.add_row(*map(escape, cells))
    return drawn


def figures(found: Measured) -> str:
    """A value and its spread with as many decimals as tell something: "15.270 ± 0.412"."""
    decimals = 3 if abs(found.value) >= 1 else 5
    spread = "" if found.spread is None else f" ± {found.spread:.{decimals}f}"
    return f"{found.value:.{decimals}f}{spread}"


def moved(found: Measured, before: Scores) -> str:
    """How far a value is from that of the same id, or what forbids to compare it with the likest one."""
    name = str(found.protocol)
    if name in before:
        change = found.value - before[name]
        return f"{change:+.{3 if abs(found.value) >= 1 else 5}f}"
    differences = [difference(name, other) or "" for other in before if metric_of(other) == found.metric]
    if not differences:
        return f"no {found.metric} before"
    return f"not comparable: {min(differences, key=lambda reason: (reason.count(';'), len(reason)))}"


def write(found: Sequence[Measured], path: Path) -> None:
    """Writes {metric: {id: {"value": ..., "spread": ..., "of": ...}}}; a value that is no number is null."""
    document: dict[str, dict[str, dict[str, float | str | None]]] = {}
    for each in found:
        entry = {"value": finite(each.value), "spread": finite(each.spread), "of": each.of}
        document.setdefault(each.metric, {})[str(each.protocol)] = entry
    with replacing(path) as partial:
        partial.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n")


def finite(value: float | None) -> float | None:
    """A number as JSON knows it, which has neither nan nor infinity."""
    return value if value is not None and math.isfinite(value) else None


def read(path: Path) -> Scores:
    """What `write` has written, without what was no number.

    Raises:
        UserError: there is no such file, or something else is in it.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise OSError(None, "it is no file")
        document = json.loads(path.read_text(encoding="utf-8"))
        values = {name: entry["value"] for metric in document.values() for name, entry in metric.items()}
        return {name: float(value) for name, value in values.items() if value is not None}
    except OSError as error:
        raise UserError(f"--baseline {path} cannot be read ({error.strerror}): name another file.") from None
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
        raise UserError(f"--baseline {path} does not hold what evaluate --json writes: name another file.") from None
