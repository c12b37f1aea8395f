"""What a run's own files say of how it went."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

from ganlit.metrics.detector import Row
from ganlit.metrics.signals import PREFIX
from ganlit.records.numbers import rows
from ganlit.studies.report.record import MEASURE

WATCHED = ("discriminator/adversarial", "generator/adversarial", "gradient/discriminator", "gradient/generator")
"""Columns that every training logs."""

NOTES = ("alarms.txt", "guard.txt", "patience.txt")
"""Files of a run directory in which callbacks tell what has happened, a sentence a line."""


class Table(NamedTuple):
    """A metrics.csv.

    Args:
        rows: of each validation what `ganlit.metrics.detector` looks at.
        losses: by column, kimg and value of what every training logs.
    """

    rows: list[Row]
    losses: dict[str, list[tuple[float, float]]]

    @property
    def signals(self) -> list[str]:
        """Names without their prefix, in their order."""
        return list(
            dict.fromkeys(key.removeprefix(PREFIX) for row in self.rows for key in row if key.startswith(PREFIX))
        )

    def curve(self, signal: str) -> list[tuple[float, float]]:
        key = f"{PREFIX}{signal}"
        return [(row["kimg"], row[key]) for row in self.rows if key in row]


def read(path: Path) -> Table:
    """The table of a run; empty where it has measured nothing.

    Raises:
        Damaged: nobody can read it.
    """
    whole = rows(path)
    columns = list(whole[0]) if whole else []
    score = next(filter(MEASURE.fullmatch, columns), None)
    asked = [name for name in columns if name.startswith(PREFIX) or name == score]
    found: dict[float, Row] = {}
    losses: dict[str, list[tuple[float, float]]] = {name: [] for name in WATCHED if name in columns}
    for row in whole:
        kimg = float(row["kimg"])
        for name in asked:
            if row[name] and math.isfinite(value := float(row[name])):
                found.setdefault(kimg, {"kimg": kimg})[name] = value
        for name, points in losses.items():
            if row[name] and math.isfinite(value := float(row[name])):
                points.append((kimg, value))
    return Table([found[kimg] for kimg in sorted(found)], losses)


def notes(folder: Path) -> list[str]:
    """What callbacks have told, file after file."""
    found = []
    for path in (folder / name for name in NOTES):
        if path.is_file():
            found += [line for line in path.read_text(errors="backslashreplace").splitlines() if line]
    return found
