"""The commands of a sweep."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ganlit.compute import slurm
from ganlit.compute.console import say
from ganlit.errors import UserError, within
from ganlit.records.state import Standing, spare
from ganlit.studies.sweeps import arrays, local, search, table
from ganlit.studies.sweeps.definition import MOST, Sweep, read
from ganlit.studies.sweeps.phases import PHASES, Status, statuses
from ganlit.studies.sweeps.trials import Trial, freeze, frozen

FINAL = ("done", "stopped early", "diverged")
"""What nobody runs again without being asked: another start of a diverged trial would end as it did."""

TIME = re.compile(r"(\d+-)?\d+(:\d+){0,2}|infinite|unlimited", re.IGNORECASE)
"""As sbatch reads it."""


@dataclass(frozen=True)
class View:
    """A sweep as it stands."""

    sweep: Sweep
    trials: dict[int, Trial]
    submitted: list[arrays.Array]
    statuses: list[Status]


def run(folder: Path, parallel: int = 1) -> None:
    """Run the trials of a sweep on this machine; what has been started goes on, what is done stays.

    Args:
        folder: holds sweep.yaml, such as experiments/0004-r1-gamma.
        parallel: trials at a time.
    """
    within("--parallel", parallel, least=1, most=MOST)
    sweep, trials = begun(folder)
    _run(sweep, due(seen(sweep, trials, strict=False)), parallel)


def submit(
    folder: Path,
    partition: str | None = None,
    gpus: int = 1,
    nodes: int = 1,
    time: str | None = None,
    max_parallel: int | None = None,
    cpus: int | None = None,
    account: str | None = None,
    sbatch: str = "",
    dry_run: bool = False,
) -> None:
    """Submit the trials of a sweep to SLURM, as a job array; what is done or in the queue stays.

    Args:
        folder: holds sweep.yaml, such as experiments/0004-r1-gamma.
        partition: of the cluster.
        gpus: of each node, with a process for each; 0 on a cluster of CPUs.
        nodes: for each trial.
        time: for each trial, such as 8:00:00; one that needs longer goes on in a job of its own.
        max_parallel: trials at a time.
        cpus: for each process.
        account: to be charged.
        sbatch: any other options, such as --sbatch="--qos=high --constraint=a100 --ntasks-per-node=2".
        dry_run: show the commands and submit nothing.
    """
    for name, number in {"nodes": nodes, "max-parallel": max_parallel, "cpus": cpus, "gpus": gpus}.items():
        within(f"--{name}", number, least=0 if name == "gpus" else 1, most=MOST, optional=True)
    if time is not None and not TIME.fullmatch(time):
        raise UserError(f"--time {time} is no time of SLURM's: give hours, minutes and seconds, such as 8:00:00.")
    options = [f"--nodes={nodes}", f"--ntasks-per-node={max(gpus, 1)}", *([f"--gpus-per-node={gpus}"] if gpus else [])]
    named = {"partition": partition, "time": time, "cpus-per-task": cpus, "account": account}
    options += [f"--{name}={value}" for name, value in named.items() if value is not None]
    options += words(sbatch)
    sweep, trials = begun(folder, dry_run)
    with nullcontext() if dry_run else arrays.alone(sweep):
        numbers = due(seen(sweep, trials, strict=not dry_run))
        arrays.submit(sweep, numbers, options, max_parallel, dry_run)


def status(folder: Path) -> None:
    """Show which trials of a sweep are pending, running, preempted, done, stopped early, failed or diverged.

    Args:
        folder: holds sweep.yaml, such as experiments/0004-r1-gamma.
    """
    sweep = read(folder)
    trials = frozen(sweep)
    if not trials and sweep.method != "bayes":
        raise UserError(
            f"{folder} has no trials yet: python -m ganlit sweep run {folder}, or sweep submit, makes them."
        )
    table.show(sweep, seen(sweep, trials, strict=False).statuses)


def retry(
    folder: Path,
    failed: bool = False,
    diverged: bool = False,
    preempted: bool = False,
    trials: str | None = None,
    parallel: int = 1,
) -> None:
    """Run trials of a sweep again, from their last checkpoint: in SLURM, as they were submitted, or else here.

    Args:
        folder: holds sweep.yaml, such as experiments/0004-r1-gamma.
        failed: all that have failed.
        diverged: all that have diverged.
        preempted: all that were stopped and are in no queue.
        trials: these, such as 3,7; one that was stopped early then goes on to its end.
        parallel: trials at a time on this machine.
    """
    given = {"failed": failed, "diverged": diverged, "preempted": preempted}
    within("--parallel", parallel, least=1, most=MOST)
    phases = [phase for phase, asked in given.items() if asked]
    asked = numbers_of(trials)
    if not phases and not asked:
        raise UserError(
            "sweep retry does not know which trials: give --failed, --diverged, --preempted or --trials 3,7."
        )
    sweep, known = begun(folder)
    with arrays.alone(sweep):
        view = seen(sweep, known)
        numbers = selected(view.statuses, phases, asked)
        for one in view.statuses:
            if one.number in numbers and one.phase == "stopped early":
                spare(sweep.run(one.number))
        for array, members in arrays.again(view.submitted, numbers) if view.submitted else ():
            arrays.submit(sweep, members, array.options, array.parallel)
    if not numbers:
        say("there is nothing to retry")
    elif not view.submitted:
        _run(sweep, numbers, parallel)


def propose(folder: Path, number: int) -> None:
    """Choose the next trial of a search and freeze it, as slurm/sweep.sbatch does before it starts.

    Args:
        folder: holds sweep.yaml, whose method is bayes.
        number: of the trial.
    """
    within("the number of a trial", number, least=1, most=MOST)
    sweep = read(folder)
    path = sweep.trial(number)
    if path.exists():
        say(f"{path} is there: it stays")
    elif sweep.method == "bayes":
        search.propose(sweep, number)
    else:
        raise UserError(f"{path} is missing, and no search may choose it: call sweep submit {folder}.")


def begun(folder: Path, dry_run: bool = False) -> tuple[Sweep, dict[int, Trial]]:
    """A sweep all of whose trials are frozen and may be run, or could be, if `dry_run`.

    Raises:
        UserError: something is wrong with it.
    """
    sweep = read(folder)
    if sweep.method == "bayes":
        search.imported()
    return sweep, freeze(sweep, dry_run)


def seen(sweep: Sweep, trials: dict[int, Trial], strict: bool = True) -> View:
    """A sweep as it stands; unless `strict`, its files have to do where SLURM does not answer."""
    submitted: list[arrays.Array] = []
    queue: dict[str, str] = {}
    try:
        submitted = arrays.submitted(sweep)
        queue = slurm.queue() if submitted else {}
    except UserError as error:
        if strict:
            raise
        say(f"without SLURM's queue: {error}")
    jobs = arrays.jobs(submitted, queue)
    return View(sweep, trials, submitted, statuses(sweep, trials, jobs, queue))


def due(view: View) -> list[int]:
    """The trials to be run, with a line on the others."""
    ready = startable(one for one in view.statuses if one.idle and one.phase not in FINAL)
    numbers = [one.number for one in ready]
    others = Counter(one.phase for one in view.statuses if one.number not in numbers)
    told = ", ".join(f"{others[phase]} {phase}" for phase in PHASES if others[phase])
    if not numbers:
        say(f"{view.sweep.folder} has no trial to start: {told}")
    elif others:
        say(f"left as they are: {told}")
    return numbers


def startable(found: Iterable[Status]) -> list[Status]:
    """Those that can be started, with a line on each of the others."""
    chosen = list[Status]()
    for one in found:
        if one.startable:
            chosen.append(one)
        else:
            say(f"left out: {'; '.join(one.damage)}")
    return chosen


def selected(found: Iterable[Status], phases: Iterable[Standing], numbers: list[int]) -> list[int]:
    """The trials to be retried.

    One that is asked for by its number may say that it is running, if it is in no queue: where a filesystem knows no
    locks, a killed one says so for ever, and where it does, a run keeps the second one out.

    Raises:
        UserError: one that was asked for by its number is done, in the queue, has not begun, or is no trial, or a
            damaged one.
    """
    by_number = {one.number: one for one in found}
    for number in numbers:
        one = by_number.get(number)
        if one is None:
            raise UserError(f"there is no trial {number}: they are numbered from 1 to {max(by_number, default=0)}.")
        if not one.startable:
            raise UserError(one.damage[0])
        if one.queued or one.phase in ("done", "pending"):
            raise UserError(f"trial {number} is {one.queued or one.phase}: only what has ended early can be retried.")
        if one.phase == "running":
            say(f"trial {number} says that it is running, but is in no queue: it is taken for killed")
    ready = startable(one for one in by_number.values() if one.phase in phases and one.idle)
    return sorted({*numbers, *(one.number for one in ready)})


def numbers_of(trials: str | None) -> list[int]:
    try:
        return [int(number) for number in (trials or "").split(",") if number.strip()]
    except ValueError:
        raise UserError(f"--trials {trials} is no list of numbers: write it like 3,7.") from None


def words(sbatch: str) -> list[str]:
    try:
        return shlex.split(sbatch)
    except ValueError as error:
        raise UserError(f"--sbatch {sbatch} is no list of options ({error}): close what you have quoted.") from None


def _run(sweep: Sweep, numbers: list[int], parallel: int) -> None:
    if numbers:
        local.run(sweep, numbers, parallel, partial(search.propose, sweep))
