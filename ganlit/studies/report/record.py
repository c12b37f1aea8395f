"""Runs as their own files tell of them: config.yaml, state.json, metrics.csv and samples."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from rich.progress import track

from ganlit.compute.console import say
from ganlit.errors import UserError
from ganlit.records import state
from ganlit.records.numbers import Damaged, rows
from ganlit.records.runs import trained
from ganlit.records.samples import Shown, latest
from ganlit.records.settings import configuration
from ganlit.records.state import VANISHED, State, held, reading

MEASURE = re.compile(r"[a-z-]*[a-z]\d+k?(-[^/]+)?/([^/]+@[^/]+|-)/[^/]+/.+")  # as Protocol spells its id

FOLDERS = 10_000
"""In which run directories are looked for; the insides of one do not count."""

Tell = Callable[[str], None]

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
        kept: whether it holds a checkpoint.
    """

    folder: Path
    config: dict[str, Any]
    state: State | None = None
    curves: dict[str, Curve] = field(default_factory=dict)
    kept: bool = True

    @property
    def phase(self) -> str:
        return self.state.phase if self.state else "pending"

    @property
    def counts(self) -> bool:
        """Whether its numbers are averaged: what was stopped early, failed or diverged is counted only."""
        return self.phase not in ("stopped early", "failed", "diverged", "pending")

    @property
    def seed(self) -> Any:
        seed = self.config.get("seed")
        return str(seed) if isinstance(seed, list | dict) else seed

    @property
    def samples(self) -> Shown | None:
        """Its latest ones."""
        return latest(self.folder)


def gather(folder: Path, since: datetime | None = None, tell: Tell = say) -> list[Run]:
    """The trials of a sweep in their order, or else all runs below a folder.

    Args:
        folder: a sweep's, or any that holds run directories.
        since: leaves out runs that have not moved since then; pending trials stay.
        tell: told what is damaged, a line each; what of a run can be read is taken.

    Raises:
        UserError: there are none.
    """
    if not os.path.isdir(folder):
        raise UserError(f"{folder} is no folder: name a sweep's, such as experiments/0004-r1-gamma, or runs.")
    trials = [path for path in sorted((folder / "trials").glob("*.yaml")) if path.stem.isdecimal()]
    runs = () if trials else directories(folder)
    places = [*(_of_trial(trial, tell) for trial in trials), *(Place(path, [path / "config.yaml"]) for path in runs)]
    found = [run for place in _bar(places) if (run := _read(place, tell)) is not None]
    if not found:
        raise UserError(f"{folder} holds no runs: name a sweep's folder, or one with run directories, such as runs.")
    fresh = [run for run in found if since is None or run.state is None or _updated(run.state) >= since]
    if not fresh:
        raise UserError(f"{folder}: none of {len(found)} runs has moved since {since:%Y-%m-%d %H:%M}: ask for more.")
    if len(fresh) < len(found):
        say(f"{len(found) - len(fresh)} of {len(found)} runs have not moved since {since:%Y-%m-%d %H:%M}: left out")
    return fresh


def directories(folder: Path) -> Iterator[Path]:
    """Run directories, in order of their names; what is inside one, such as wandb/, is its own business.

    Raises:
        UserError: there are too many other folders to look into them all.
    """
    others = 0
    for path, below, files in os.walk(folder):
        if "config.yaml" in files:
            below.clear()
            yield Path(path)
        elif (others := others + 1) > FOLDERS:
            raise UserError(f"{folder} has more than {FOLDERS:,} folders in it: name one that is nearer to the runs.")
        below[:] = sorted(name for name in below if not name.startswith(".") and name != "wandb")


def read_metrics(path: Path) -> tuple[float, dict[str, Curve]]:
    """How far a metrics.csv reaches in kimg, and every number in it that has a protocol id.

    Raises:
        Damaged: nobody can read it.
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


class Place(NamedTuple):
    """Where a run is.

    Args:
        folder: its directory.
        settings: files with its configuration, of which the first that is whole counts; without its own config.yaml
            among them it has not begun.
    """

    folder: Path
    settings: list[Path]


def _of_trial(trial: Path, tell: Tell) -> Place:
    """A trial says where it runs; a damaged one runs where sweeps run theirs."""
    try:
        config, settings = configuration(trial), [trial]
        folder = Path(str(config["trainer"].get("default_root_dir") or "runs"), config["name"])
    except UserError as error:
        tell(str(error))
        folder, settings = Path("runs", trial.absolute().parents[1].name, trial.stem), []
    started = any(os.path.lexists(folder / name) for name in ("config.yaml", state.FILE))
    return Place(folder, [folder / "config.yaml", *settings] if started else settings)


def _read(place: Place, tell: Tell) -> Run | None:
    folder, config = place.folder, None
    for path in place.settings:
        try:
            config = configuration(path)
            break
        except UserError as error:
            tell(str(error))
    if config is None:
        tell(f"{folder} is left out, since nobody can tell what it was")
        return None
    if folder / "config.yaml" not in place.settings:  # a trial that has left nothing
        return Run(folder, config)
    try:
        reached, curves = read_metrics(folder / "metrics.csv")
    except Damaged as error:
        tell(f"without its numbers: {error}")
        reached, curves = 0.0, {}
    return Run(folder, config, _state(folder, config, reached, bool(curves), tell), curves, trained(folder))


def _state(folder: Path, config: dict[str, Any], reached: float, measured: bool, tell: Tell) -> State | None:
    known, wrong = reading(folder)
    if wrong:
        tell(wrong)
    length = float(config["kimg"])
    if known is None and wrong:
        return State("running" if held(folder) else "failed", reached, length, reason=wrong)
    if known is None:  # a run of before state.json, or one that has hardly begun
        phase = "done" if measured and reached >= length else "preempted"
        return State(phase, reached, length, reason="no state.json") if reached else None
    known = replace(known, kimg=max(known.kimg, reached))
    if known.phase == "running" and not held(folder):
        return replace(known, phase="failed", reason=VANISHED)
    return known


def _updated(known: State) -> datetime:
    try:
        return datetime.fromisoformat(known.updated).astimezone()
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0).astimezone()


def _bar(places: list[Place]) -> Iterable[Place]:
    return track(places, "reading runs", transient=True) if len(places) > 20 else places
