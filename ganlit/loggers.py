"""The numbers of a run: metrics.csv in its directory, and Weights & Biases."""

from __future__ import annotations

import csv
import netrc
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import wandb
from lightning.pytorch.loggers import Logger, WandbLogger
from lightning.pytorch.loggers.logger import rank_zero_experiment
from lightning.pytorch.utilities import rank_zero_only

from ganlit.callbacks.progress import say


class MetricsFile(Logger):
    """Writes each row of numbers to a CSV file as it comes, with a column for every name met so far.

    A resumed run goes on in the same file: rows that a killed run wrote after its last checkpoint are dropped.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.columns: list[str] = []

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def version(self) -> str:
        return ""

    def log_hyperparams(self, params: dict[str, Any]) -> None:
        """config.yaml is the record of those."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        row = {
            "kimg": 0,
            "step": step,
            **{name: f"{value:.7g}" for name, value in metrics.items()},
        }  # float32 holds no more
        if not set(row) <= set(self.columns):
            rows = self._rows(before=float("inf") if self.columns else float(row["kimg"]))
            self.columns = list(dict.fromkeys([*(rows[0] if rows else ()), *self.columns, *row]))
            self._rewrite(rows)
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.columns).writerow(row)

    def _rows(self, before: float) -> list[dict[str, str]]:
        """The rows on the disk whose clock is earlier."""
        if not self.path.exists():
            return []
        with self.path.open(newline="") as file:
            return [row for row in csv.DictReader(file) if float(float(row["kimg"])) < before]

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        with partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(rows)
        os.replace(partial, self.path)


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
