"""The numbers of a run in a file of its directory: metrics.csv."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from ganlit.records.durable import replacing, writing
from ganlit.records.numbers import names, rows


class MetricsFile(Logger):
    """Writes each row of numbers to a CSV file as it comes, with a column for every name met so far.

    A run that is resumed, or goes back, goes on in the same file, which then holds each row once.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.columns: list[str] = []
        self.written: set[tuple[str, ...]] = set()  # names of the rows at the latest clock
        self.clock: str | None = None

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def version(self) -> str:
        return ""

    def log_hyperparams(self, params: dict[str, Any]) -> None:
        """config.yaml is the record of those."""

    @rank_zero_only
    def rewind(self, kimg: float) -> None:
        """Drops the rows of a clock later than `kimg`: a killed run wrote them after its last checkpoint."""
        kept = [row for row in rows(self.path) if float(row["kimg"]) <= float(f"{kimg:.7g}")]
        self.columns = list(kept[0]) if kept else []
        self.clock = kept[-1]["kimg"] if kept else None
        self.written = {names(row) for row in kept if row["kimg"] == self.clock}
        if kept:
            self._rewrite(kept)
        else:
            self.path.unlink(missing_ok=True)

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        numbers = {name: f"{value:.7g}" for name, value in metrics.items() if name != "epoch"}  # float32 holds no more
        row = {"kimg": "0", **numbers}
        if row["kimg"] != self.clock:
            self.clock, self.written = row["kimg"], set()
        if names(row) in self.written:
            return
        self.written.add(names(row))
        if not set(row) <= set(self.columns):
            self.columns = list(dict.fromkeys([*self.columns, *row]))
            self._rewrite(rows(self.path))
        with writing(self.path), self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.columns).writerow(row)

    def _rewrite(self, kept: list[dict[str, str]]) -> None:
        with replacing(self.path) as partial, partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(kept)
