"""The numbers of a run: metrics.csv in its directory, and what shows them while it lasts."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from ganlit.boards import TensorBoard
from ganlit.durable import replacing
from ganlit.wandb_run import Wandb, WandbOptions, switched_off


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
        rows = [row for row in self._rows() if float(row["kimg"]) <= float(f"{kimg:.7g}")]
        self.columns = list(rows[0]) if rows else []
        self.clock = rows[-1]["kimg"] if rows else None
        self.written = {names(row) for row in rows if row["kimg"] == self.clock}
        if rows or self.path.exists():
            self._rewrite(rows)

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
            self._rewrite(self._rows())
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.columns).writerow(row)

    def _rows(self) -> list[dict[str, str]]:
        if not self.path.exists():
            return []
        whole, _, _ = self.path.read_text().rpartition("\n")  # a kill may have left half of the last row
        return list(csv.DictReader(whole.splitlines()))

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        with replacing(self.path) as partial, partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(rows)


def names(row: dict[str, str]) -> tuple[str, ...]:
    """What a row of numbers has values of."""
    return tuple(sorted(name for name, value in row.items() if value))


def loggers(folder: Path, config: dict[str, Any], options: WandbOptions | None, given: Any = None) -> list[Logger]:
    """Those of a run: metrics.csv always, and W&B unless it is switched off or others are given.

    Args:
        folder: the run directory.
        config: the resolved configuration.
        options: what W&B files the run under; None does without.
        given: of the Trainer: a logger, several, or False for metrics.csv alone.
    """
    metrics = MetricsFile(folder / "metrics.csv")
    if given is None or given is True:
        return [metrics] if options is None or switched_off() else [metrics, Wandb(folder, config, options)]
    others = [given] if isinstance(given, Logger) else list(given or [])
    for logger in others:
        if isinstance(logger, TensorBoard):
            logger.folder = folder
    return [metrics, *others]


@contextmanager
def ended(given: list[Logger]) -> Iterator[list[Logger]]:
    """Ends what needs an end when the block is left, also by an exception; it takes a minute at most."""
    exit_code = 1
    try:
        yield given
        exit_code = 0
    finally:
        for logger in given:
            if isinstance(logger, Wandb):
                logger.finish(exit_code)
