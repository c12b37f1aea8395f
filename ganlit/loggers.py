"""The numbers of a run: metrics.csv in its directory, and Weights & Biases."""

from __future__ import annotations

import csv
import netrc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import wandb
from lightning.pytorch.loggers import Logger, WandbLogger
from lightning.pytorch.loggers.logger import rank_zero_experiment
from lightning.pytorch.utilities import rank_zero_only

from ganlit.callbacks.progress import say
from ganlit.durable import replacing


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


def logged_in() -> bool:
    """Whether a key for Weights & Biases lies where its client looks for one."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (FileNotFoundError, netrc.NetrcParseError):
        return False


class Wandb(WandbLogger):
    """A W&B run with kimg as its x-axis: online for those who are logged in, else offline; it never asks for a key.

    Args:
        folder: the run directory; a resumed run goes on under the id that it had there.
        config: what W&B shows as the configuration.
    """

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        wanted = os.environ.get("WANDB_MODE", "online")
        folder.mkdir(parents=True, exist_ok=True)
        earlier = sorted((folder / "wandb").glob("*run-*-*"))
        super().__init__(
            name=folder.name,
            project=os.environ.get("WANDB_PROJECT", "ganlit"),
            save_dir=folder,
            id=earlier[-1].name.rpartition("-")[2] if earlier else None,
            config=config,
            mode="offline" if wanted == "online" and not logged_in() else wanted,
            settings=wandb.Settings(silent=True, console="off"),
        )
        del self._wandb_init["anonymous"]  # Lightning still sends it, W&B warns of it

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Without Lightning's epoch, which counts from the last resume."""
        super().log_metrics({name: value for name, value in metrics.items() if name != "epoch"}, step)

    @property
    @rank_zero_experiment
    def experiment(self) -> wandb.Run:
        if self._experiment is None:
            try:
                run = super().experiment
            except wandb.errors.CommError as error:
                say(f"W&B cannot be reached ({error})")
                self._wandb_init["mode"] = "offline"
                run = super().experiment
            run.define_metric("kimg")
            run.define_metric("*", step_metric="kimg")
            folder = os.path.relpath(Path(run.dir).parent)
            say(f"W&B      offline; upload with `wandb sync {folder}`" if run.offline else f"W&B      {run.url}")
        return self._experiment


def loggers(folder: Path, config: dict[str, Any]) -> list[Logger]:
    """Those of a run that does not name its own."""
    metrics = MetricsFile(folder / "metrics.csv")
    return [metrics] if os.environ.get("WANDB_MODE") == "disabled" else [metrics, Wandb(folder, config)]
