"""Trials as processes on this machine, one after another or several at once."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import rich
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from ganlit.compute.console import clock, say
from ganlit.compute.sparing import Later
from ganlit.errors import Stopped, Unwritten, UserError
from ganlit.metrics.protocol import shown
from ganlit.records import state
from ganlit.records.durable import writing
from ganlit.studies.sweeps.definition import Sweep
from ganlit.studies.sweeps.measures import measure
from ganlit.studies.sweeps.phases import VANISHED, holds_results, judge
from ganlit.studies.sweeps.trials import Trial, told

torch = Later("torch")

GLANCE = 0.3  # seconds between two looks at the processes


@dataclass
class Child:
    """A trial while it runs."""

    number: int
    trial: Trial
    slot: int
    process: subprocess.Popen
    began: float = field(default_factory=time.monotonic)


def run(
    sweep: Sweep,
    numbers: Sequence[int],
    parallel: int,
    chosen: Callable[[int], Trial],
) -> None:
    """Runs trials, each in a process of its own that writes into runs/SWEEP/NUMBER.log.

    Args:
        sweep: the sweep.
        numbers: of the trials.
        parallel: trials at a time.
        chosen: the trial of a number, asked for just before it starts.

    Raises:
        UserError: some have not ended well; the others have.
        Stopped: by Ctrl-C or SIGTERM, after the running trials were saved.
    """
    sweep.make_runs()
    say(f"to run   {len(numbers)}, {min(parallel, len(numbers))} at a time; output in {sweep.runs}/NUMBER.log")
    waiting, active, failures = deque(numbers), list[Child](), list[int]()
    began, at_start = time.monotonic(), sum(share(sweep, number) for number in numbers)
    with interruptible(), showing(len(numbers)) as show:
        try:
            while waiting or active:
                while waiting and len(active) < parallel:
                    slot = next(slot for slot in range(parallel) if slot not in {child.slot for child in active})
                    number = waiting.popleft()
                    trial = chosen(number)
                    try:
                        active.append(start(sweep, number, trial, slot, parallel))
                    except Unwritten as error:
                        say(f"{number:04}  {error}")
                        failures.append(number)
                for child in [child for child in active if child.process.poll() is not None]:
                    active.remove(child)
                    if not finish(sweep, child):
                        failures.append(child.number)
                gone = sum(share(sweep, number) for number in numbers)
                left = (
                    (time.monotonic() - began) * (len(numbers) - gone) / (gone - at_start) if gone > at_start else None
                )
                show(gone, line(sweep, active, len(numbers) - len(waiting) - len(active), len(numbers), left))
                time.sleep(GLANCE)
        except BaseException as error:
            stop(active)
            if isinstance(error, KeyboardInterrupt):
                say(f"stopped; go on with: python -m ganlit sweep run {sweep.folder}")
                raise Stopped(signal.SIGINT) from None
            raise
    if failures:
        raise UserError(
            f"{len(failures)} of {len(numbers)} trials have not ended well: see {sweep.runs}/NUMBER.log of these, then "
            f"python -m ganlit sweep retry {sweep.folder} --trials {','.join(map(str, sorted(failures)))}"
        )
    say(f"done     {len(numbers)} of {len(numbers)}; next: python -m ganlit report {sweep.folder}")


def start(sweep: Sweep, number: int, trial: Trial, slot: int, parallel: int) -> Child:
    """Starts a trial, or goes on with it."""
    command = [sys.executable, "-m", "ganlit", "fit", "--config", str(sweep.trial(number)), "--resume"]
    with opened(log(sweep, number)) as output:
        # In a process group of its own, or Ctrl-C would reach it twice: from the terminal, and from here.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(trial, slot, parallel),
            process_group=0,
        )
    return Child(number, trial, slot, process)


def opened(path: Path) -> TextIO:
    """A file to add lines to.

    Raises:
        Unwritten: the disk is full or refuses.
    """
    with writing(path):
        if os.path.lexists(path) and not path.is_file():  # a pipe would be waited for
            raise FileExistsError(errno.EEXIST, "it is no file")
        return path.open("a")


def environment(trial: Trial, slot: int, parallel: int) -> dict[str, str]:
    """Shares the cores between trials, and gives each a GPU where it wants one and there are several."""
    ours = dict(os.environ)
    ours.setdefault("OMP_NUM_THREADS", str(max(len(os.sched_getaffinity(0)) // parallel, 1)))
    gpus, wants = torch.cuda.device_count(), trial.settings["trainer"]
    if parallel > 1 and gpus > 1 and wants.get("devices") == 1 and wants.get("accelerator") != "cpu":
        visible = ours.get("CUDA_VISIBLE_DEVICES", "").split(",")
        visible = visible if len(visible) == gpus else [str(index) for index in range(gpus)]
        ours["CUDA_VISIBLE_DEVICES"] = visible[slot % gpus]
    return ours


def finish(sweep: Sweep, child: Child) -> bool:
    """Tells how a trial has ended; whether well."""
    folder = sweep.run(child.number)
    phase, reason = judge(state.read(folder), False, None, child.trial.length, holds_results(folder))
    code = child.process.returncode
    took = clock(time.monotonic() - child.began)
    name = f"{child.number:04}  {told(child.trial.values)}"
    if phase == "done" and code == 0:
        say(f"{name}  done in {took}{scored(sweep, child.number)}")
        return True
    if phase == "stopped early" and code == 0:
        say(f"{name}  stopped early after {took}: {reason}")
        return True
    if phase not in ("failed", "diverged", "preempted") or reason == VANISHED:
        phase, reason = "failed", last_line(log(sweep, child.number)) or f"exit code {code}"
    say(f"{name}  {phase} after {took}: {reason}")
    return False


def scored(sweep: Sweep, number: int) -> str:
    """The metric of a trial, if it can be told."""
    try:
        found = measure(sweep.run(number), sweep.metric) if sweep.metric is not None else None
    except UserError as error:
        return f" ({error})"
    return f"  {score(found.column, found.best)}" if found is not None else ""


def score(column: str, value: float) -> str:
    return shown((column, value)) if "@" in column else f"{column} {value:.4g}"


def stop(active: list[Child]) -> None:
    """Has running trials save and end; a second Ctrl-C does not wait for them to save."""
    for child in active:
        child.process.send_signal(signal.SIGINT)
    if active:
        say(f"saving {', '.join(f'{child.number:04}' for child in active)}")
    try:
        for child in active:
            child.process.wait()
    except KeyboardInterrupt:
        for child in active:
            child.process.send_signal(signal.SIGINT)
        for child in active:
            child.process.wait()


def share(sweep: Sweep, number: int) -> float:
    """How much of a trial is done, from 0 to 1; one that has ended in another way is over, too."""
    known = state.read(sweep.run(number))
    if known is None or not known.length:
        return 0.0
    return 1.0 if known.phase in ("stopped early", "failed", "diverged") else min(known.kimg / known.length, 1.0)


def line(sweep: Sweep, active: list[Child], ended: int, count: int, left: float | None) -> str:
    """Where a sweep stands."""
    parts = [f"{ended}/{count}"]
    for child in active:
        known = state.read(sweep.run(child.number))
        fresh = known is not None and known.phase == "running"
        parts.append(
            f"{child.number:04} {known.kimg:.1f}/{known.length:g} kimg" if fresh else f"{child.number:04} starts"
        )
    return "  ".join([*parts, f"{clock(left)} left" if left is not None else "- left"])


def log(sweep: Sweep, number: int) -> Path:
    return sweep.runs / f"{number:04}.log"


def last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").split("\n") if path.is_file() else []
    return next((text.strip() for text in reversed(lines) if text.strip()), "")


@contextmanager
def interruptible() -> Iterator[None]:
    """Takes SIGTERM for Ctrl-C."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def showing(count: int) -> Iterator[Callable[[float, str], None]]:
    """A bar, where there is a terminal."""
    with Bar(
        BarColumn(20),
        TextColumn("{task.description}"),
        console=rich.get_console(),
        transient=True,
        disable=not rich.get_console().is_terminal,
    ) as bar:
        task = bar.add_task("", total=count)
        yield lambda completed, text: bar.update(task, completed=completed, description=text)
