"""Runs as their own files tell of them: config.yaml, state.json, metrics.csv and samples."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from rich.progress import track

from ganlit.compute.console import say
from ganlit.errors import UserError
from ganlit.records import state
from ganlit.records.moved import current
from ganlit.records.numbers import rows
from ganlit.records.samples import Shown, latest
from ganlit.records.state import VANISHED, State, held

MEASURE = re.compile(r"[a-z-]*[a-z]\d+k?(-[^/]+)?/[^/]+@[^/]+/[^/]+/.+")  # as Protocol spells its id


Curve = list[tuple[float, float]]
"""Values over kimg."""


@dataclass(frozen=True)
class Run:
    """One run, or a trial that has not been started.

    Args:
        folder: its directory, which a pending trial does not have.
        config: the resolved configuration.
        state: None where it is pending.
        curves: every number that has a protocol id, in the order in which the run met them.
    """

    folder: Path
    config: dict[str, Any]
    state: State | None = None
    curves: dict[str, Curve] = field(default_factory=dict)

    @property
    def phase(self) -> str:
        return self.state.phase if self.state else "pending"

    @property
    def counts(self) -> bool:
        """Whether its numbers are averaged: what failed or diverged is counted only."""
        return self.phase not in ("failed", "diverged", "pending")

    @property
    def seed(self) -> Any:
        return self.config.get("seed")

    @property
    def samples(self) -> Shown | None:
        """Its latest ones."""
        return latest(self.folder)


def gather(folder: Path, since: datetime | None = None) -> list[Run]:
    """The trials of a sweep in their order, or else all runs below a folder.

    Args:
        folder: a sweep's, or any that holds run directories.
        since: leaves out runs that have not moved since then; pending trials stay.

    Raises:
        UserError: there are none.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: name a sweep's, such as experiments/0004-r1-gamma, or runs.")
    trials = [path for path in sorted((folder / "trials").glob("*.yaml")) if path.stem.isdecimal()]
    places = [*_of_trials(trials)] if trials else [(path, path / "config.yaml") for path in directories(folder)]
    found = [run for place in _bar(places) if (run := _read(*place)) is not None]
    if not found:
        raise UserError(f"{folder} holds no runs: name a sweep's folder, or one with run directories, such as runs.")
    fresh = [run for run in found if since is None or run.state is None or _updated(run.state) >= since]
    if not fresh:
        raise UserError(f"{folder}: none of {len(found)} runs has moved since {since:%Y-%m-%d %H:%M}: ask for more.")
    if len(fresh) < len(found):
        say(f"{len(found) - len(fresh)} of {len(found)} runs have not moved since {since:%Y-%m-%d %H:%M}: left out")
    return fresh


def directories(folder: Path) -> Iterator[Path]:
    """Run directories, in order of their names; what is inside one, such as wandb/, is its own business."""
    for path, below, files in os.walk(folder):
        if "config.yaml" in files:
            below.clear()
            yield Path(path)
        below[:] = sorted(name for name in below if not name.startswith(".") and name != "wandb")


def read_metrics(path: Path) -> tuple[float, dict[str, Curve]]:
    """How far a metrics.csv reaches in kimg, and every number in it that has a protocol id.

    Raises:
        UserError: it is damaged.
    """
    whole = rows(path)
    found: dict[str, dict[float, float]] = {name: {} for name in next(iter(whole), ()) if MEASURE.fullmatch(name)}
    reached = 0.0
    for row in whole:
        reached = max(reached, kimg := float(row["kimg"]))
        for name, points in found.items():
            if row[name] and math.isfinite(value := float(row[name])):
                points[kimg] = value
    return reached, {name: sorted(points.items()) for name, points in found.items() if points}


def _of_trials(trials: list[Path]) -> Iterator[tuple[Path, Path]]:
    for trial in trials:
        config = _config(trial)
        if config is not None:
            folder = Path(config.get("trainer", {}).get("default_root_dir") or "runs") / str(config.get("name"))
            started = (folder / "config.yaml").is_file()
            yield folder, folder / "config.yaml" if started else trial


def _read(folder: Path, settings: Path) -> Run | None:
    config = _config(settings)
    if config is None:
        return None
    if settings.parent != folder:  # a trial that has left nothing
        return Run(folder, config)
    try:
        reached, curves = read_metrics(folder / "metrics.csv")
    except UserError as error:
        say(f"without its numbers: {error}")
        reached, curves = 0.0, {}
    return Run(folder, config, _state(folder, config, reached, bool(curves)), curves)


def _state(folder: Path, config: dict[str, Any], reached: float, measured: bool) -> State | None:
    known = state.read(folder)
    if known is None:  # a run of before state.json, or one that has hardly begun
        length = float(config.get("kimg") or 0)
        phase = "done" if measured and reached >= length else "preempted"
        return State(phase, reached, length, reason="no state.json") if reached else None
    known = replace(known, kimg=max(known.kimg, reached))
    if known.phase == "running" and not held(folder):
        return replace(known, phase="failed", reason=VANISHED)
    return known


def _config(path: Path) -> dict[str, Any] | None:
    try:
        config = yaml.load(current(path.read_text()), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, OSError, ValueError) as error:
        say(f"{path} cannot be read ({' '.join(str(error).split())}): this run is left out")
        return None
    if not isinstance(config, dict) or "model" not in config:
        say(f"{path} describes no run of ganlit: left out")
        return None
    return config


def _updated(known: State) -> datetime:
    try:
        return datetime.fromisoformat(known.updated).astimezone()
    except ValueError:
        return datetime.fromtimestamp(0).astimezone()


def _bar(places: list[tuple[Path, Path]]) -> Iterable[tuple[Path, Path]]:
    return track(places, "reading runs", transient=True) if len(places) > 20 else places
