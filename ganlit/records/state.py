"""How far a run is and how it went: state.json in its directory, for whoever looks at many runs at once."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from signal import Signals
from types import UnionType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from ganlit.errors import Diverged, Stopped
from ganlit.records.durable import replacing

Phase = Literal["running", "preempted", "done", "stopped early", "failed", "diverged"]
Standing = Literal["pending", Phase]
"""Of a run that may not have begun."""

FILE = "state.json"
LOCK = "lock"  # that the process of a run holds as long as it lives

VANISHED = "ended without a word (killed?)"
"""Why a run has failed that says it is running, and holds no lock."""


@dataclass(frozen=True)
class State:
    """What is known of a run without its checkpoints.

    Args:
        phase: a run that says it is running and holds no lock was killed; one that was stopped early has lost in its
            sweep, and is not to go on.
        kimg: how far it is.
        length: how far it shall go, in kimg.
        seconds: that it has held its devices, over all starts.
        starts: how often it was started or resumed.
        processes: ranks of the latest start.
        device: of each, such as "cpu" or "NVIDIA H100".
        host: of rank 0.
        job: of SLURM, such as "12" or "12_3" in an array.
        updated: when all of this was so, in ISO 8601.
        reason: why it was preempted, stopped early, failed or diverged, or is done ahead of its length: a signal or a
            sentence.
        alarms: that the latest validation has left ringing, see `Alarms`.
        spared: whether it was stopped early and goes on to its end all the same, whatever it measures.
    """

    phase: Phase
    kimg: float = 0.0
    length: float = 0.0
    seconds: float = 0.0
    starts: int = 0
    processes: int = 1
    device: str = "cpu"
    host: str = ""
    job: str | None = None
    updated: str = ""
    reason: str | None = None
    alarms: list[str] = field(default_factory=list)
    spared: bool = False

    @property
    def device_hours(self) -> float:
        """Hours that its devices, GPUs or CPU processes, were held."""
        return self.seconds * self.processes / 3600


class Reading(NamedTuple):
    """What the record of a run says.

    Args:
        state: None where nothing was recorded, or not even the phase can be believed; other fields that cannot are as
            if they had been left out.
        damage: what is wrong with the file, in one sentence.
    """

    state: State | None
    damage: str | None = None


NOTHING = (FileNotFoundError, NotADirectoryError)

LARGEST = 1e15
"""What can be counted of a run is less."""


def fits(value: Any, kind: Any) -> bool:
    """Whether a value of JSON is what a field is declared as; numbers are counts and measures, not negative."""
    if kind in (int, float):
        number = isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
        return number and 0 <= value < LARGEST
    if get_origin(kind) is list:
        return isinstance(value, list) and all(fits(each, *get_args(kind)) for each in value)
    if isinstance(kind, UnionType):
        return any(fits(value, each) for each in get_args(kind))
    return value in get_args(kind) if get_origin(kind) is Literal else isinstance(value, kind)


def brief(value: Any) -> str:
    """A value of JSON in a few words, for a message."""
    kinds = {list: "a list", dict: "a mapping"}
    return kinds.get(type(value)) or json.dumps(value)[:60]


def reading(folder: Path) -> Reading:
    """The state of the run in a directory, as far as it can be believed."""
    path = folder / FILE
    try:
        path.lstat()
        if not path.is_file():  # a pipe would be waited for
            raise ValueError("it is no file")
        known = json.loads(path.read_text())
        if not isinstance(known, dict):
            raise ValueError(f"it is no mapping, but {brief(known)}")
    except NOTHING:
        return Reading(None)
    except (OSError, ValueError, RecursionError) as error:
        wrong, good = [getattr(error, "strerror", None) or " ".join(str(error).split())], {}
    else:
        kinds = get_type_hints(State)
        good = {name: known[name] for name in kinds if name in known and fits(known[name], kinds[name])}
        wrong = [f"{name} is {brief(known[name])}" for name in kinds if name in known and name not in good]
        wrong += [] if "phase" in known else ["it has no phase"]
    damage = f"{path} is damaged ({'; '.join(wrong)}): a run that goes on writes it anew" if wrong else None
    return Reading(State(**good) if "phase" in good else None, damage)


def read(folder: Path) -> State | None:
    """The state of the run in a directory; None where nothing was recorded, or nothing that can be read."""
    return reading(folder).state


def spare(folder: Path) -> None:
    """Lets a run that was stopped early go on to its end, from whichever start, and however often it is interrupted."""
    if (known := read(folder)) is not None:
        _write(folder, replace(known, spared=True))


def _write(folder: Path, state: State) -> None:
    with replacing(folder / FILE, flush=False) as partial:
        partial.write_text(json.dumps(asdict(state), indent=1) + "\n")


def held(folder: Path) -> bool:
    """Whether a process has a run directory.

    For an instant the question itself keeps others out: ask only of a run that may be dead.
    """
    try:
        file = os.open(folder / LOCK, os.O_RDONLY | os.O_NONBLOCK)  # a pipe of that name would be waited for
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        finally:
            os.close(file)
    except FileNotFoundError:
        return False
    except OSError:  # somebody has it, or this filesystem knows no locks and nobody can tell
        return True
    return False


class Recorder:
    """Keeps the state of one run on the disk; other ranks than the first write nothing.

    Args:
        folder: the run directory.
        length: of the run in kimg.
        job: of SLURM.
        writes: whether this process is the one that keeps it.
    """

    def __init__(self, folder: Path, length: float, job: str | None = None, writes: bool = True) -> None:
        self.folder = folder
        self.writes = writes
        self.began = False
        self.since = time.monotonic()
        before = read(folder)
        self.speaks = before is None  # of a run that was there, nothing is said before it goes on
        before = before or State("running")
        self.spent = before.seconds
        spared = before.spared or before.phase == "stopped early"  # or it would not go on
        self.state = replace(
            before, phase="running", reason=None, length=length, starts=before.starts + 1, job=job, spared=spared
        )

    def update(self, **changes: object) -> None:
        """Writes the state with these fields changed."""
        self.speaks = self.began = True
        self.state = replace(
            self.state,
            **changes,
            seconds=round(self.spent + time.monotonic() - self.since, 3),
            host=socket.gethostname(),
            updated=datetime.now().astimezone().isoformat(timespec="seconds"),
        )
        if self.writes:
            _write(self.folder, self.state)


def ending(error: BaseException) -> dict[str, str]:
    """The phase in which an exception leaves a run, and the reason."""
    if isinstance(error, Stopped):
        return {"phase": "preempted", "reason": Signals(error.signal).name}
    if isinstance(error, KeyboardInterrupt):
        return {"phase": "preempted", "reason": Signals.SIGINT.name}
    phase = "diverged" if isinstance(error, Diverged) else "failed"
    return {"phase": phase, "reason": " ".join(str(error).split()) or type(error).__name__}


@contextmanager
def recorded(recorder: Recorder) -> Iterator[Recorder]:
    """Records how a run ends: well, on purpose, or by an exception, which goes on its way.

    A run that was there before, and was refused before it went on, stays as it was.
    """
    try:
        yield recorder
    except (Exception, KeyboardInterrupt) as error:
        if recorder.speaks:
            with suppress(OSError):  # a full disk is what it ends by
                recorder.update(**ending(error))
        raise
    recorder.update(phase="done" if recorder.state.phase == "running" else recorder.state.phase)
