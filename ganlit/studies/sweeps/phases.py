"""How far each trial is, by the files of its run and by SLURM's queue."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import is_zipfile

from ganlit.errors import UserError
from ganlit.records.durable import LAST, PREVIOUS
from ganlit.records.runs import trained
from ganlit.records.settings import configuration
from ganlit.records.state import VANISHED, Standing, State, held, reading
from ganlit.studies.sweeps.definition import Sweep
from ganlit.studies.sweeps.trials import Trial, Values

PHASES: dict[Standing, str] = {
    "pending": "dim",
    "running": "cyan",
    "preempted": "yellow",
    "done": "green",
    "stopped early": "blue",
    "failed": "red",
    "diverged": "magenta",
}
"""With the colour in which each is shown."""

BARE = "says that it is done, and holds no whole checkpoint"

AT_WORK = ("RUNNING", "CONFIGURING", "COMPLETING", "STAGE_OUT", "SIGNALING")


@dataclass(frozen=True)
class Status:
    """One trial.

    Args:
        number: from 1.
        phase: where it stands.
        values: of the parameters; empty where a search has not chosen them yet.
        state: what its run says of itself, once it has started.
        job: of SLURM, the latest it was submitted as.
        queued: the state of that job, while it is in the queue.
        reason: why it is where it is, if anybody knows.
        damage: what is wrong with its files, a sentence for each.
        startable: whether it has a file that it can be run from, or may get one.
    """

    number: int
    phase: Standing
    values: Values
    state: State | None = None
    job: str | None = None
    queued: str | None = None
    reason: str | None = None
    damage: tuple[str, ...] = ()
    startable: bool = True

    @property
    def idle(self) -> bool:
        """Whether nobody has it in hand."""
        return self.queued is None and self.phase != "running"


def judge(
    state: State | None, held: bool, queued: str | None, length: float, results: bool = True
) -> tuple[Standing, str | None]:
    """Where a trial stands, and why.

    Args:
        state: what its run says of itself; None where it has not started.
        held: whether a process has its run directory.
        queued: the state of its job in the queue; None where there is none.
        length: that it shall have, in kimg.
        results: whether it holds what it was trained for.
    """
    if state is not None and state.phase == "done" and state.length >= length and results:
        return "done", state.reason
    if held or queued in AT_WORK:
        return "running", None
    if queued is not None:
        return ("pending" if state is None else "preempted"), queued.lower()
    if state is None:
        return "pending", None
    if state.phase == "running":
        return "failed", VANISHED
    if state.phase == "done" and not results:
        return "failed", BARE
    if state.phase == "done":
        return "preempted", f"done to {state.length:g} kimg only"
    return state.phase, state.reason


def statuses(
    sweep: Sweep, trials: Mapping[int, Trial], jobs: Mapping[int, str], queue: Mapping[str, str]
) -> list[Status]:
    """Every trial of a sweep, those included that a search has still to choose.

    Args:
        sweep: the sweep.
        trials: that are frozen.
        jobs: the latest job of each trial that was submitted.
        queue: the state of each job that is in the queue.
    """
    numbers = sorted({*trials, *range(1, (sweep.cap or 0) + 1)} if sweep.method == "bayes" else trials)
    return [_status(sweep, number, trials.get(number), jobs.get(number), queue) for number in numbers]


def _status(sweep: Sweep, number: int, trial: Trial | None, job: str | None, queue: Mapping[str, str]) -> Status:
    folder = sweep.run(number)
    known, wrong = reading(folder)
    broken = trial.damage if trial is not None else None
    queued = queue.get(job) if job is not None else None
    results = holds_results(folder)
    taken = State("running") if known is None and wrong else known  # only its lock can tell
    maybe_dead = taken is not None and queued is None and (taken.phase == "running" or not results)
    length = trial.length if trial is not None else 0.0
    phase, reason = judge(taken, maybe_dead and held(folder), queued, length, results)
    if broken and phase not in ("done", "running"):
        phase, reason = "failed", broken
    elif known is None and phase == "failed":
        reason = wrong
    damage = tuple(filter(None, (broken, wrong, _unreadable(folder / "config.yaml"))))
    values = trial.values if trial is not None else {}
    return Status(number, phase, values, known, job, queued, reason, damage, broken is None)


def _unreadable(path: Path) -> str | None:
    """What is wrong with a run's own configuration, if it has one."""
    try:
        if os.path.lexists(path):
            configuration(path)
    except UserError as error:
        return str(error)
    return None


def holds_results(folder: Path) -> bool:
    """Whether a run directory holds a checkpoint that was written to its end, as far as that is seen at once."""
    paths = [folder / "checkpoints" / name for name in (LAST, PREVIOUS)]
    return trained(folder) and any(os.path.isfile(path) and is_zipfile(path) for path in paths)
