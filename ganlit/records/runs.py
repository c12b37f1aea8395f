"""The run directory, and who writes into it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TextIO

from ganlit.compute.console import say
from ganlit.errors import UserError
from ganlit.records import durable
from ganlit.records.cache import UNSUPPORTED
from ganlit.records.durable import LAST, PREVIOUS
from ganlit.records.state import FILE, LOCK

OVERVIEW = "overview.png"
"""Drawn when a run is over."""

locks: set[TextIO] = set()
"""The open lock files of this process."""


def disown() -> None:
    """Closes what a forked child inherits: a data worker that outlives a killed run must not keep its lock."""
    while locks:
        locks.pop().close()


os.register_at_fork(after_in_child=disown)


@contextmanager
def locked(folder: Path, patience: float = 0.0) -> Iterator[None]:
    """Keeps other runs out of a directory while the block lasts, and removes what a killed one left half written.

    The kernel gives the lock back when the process ends, however it ends: a file that is lying there means nothing.

    Args:
        folder: the run directory.
        patience: seconds to wait for one that writes there. On a network filesystem a host that has died holds its
            locks for a while.

    Raises:
        UserError: a run is writing there, or nobody can.
    """
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A link of that name could lead to any file, and a pipe would be waited for.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.ELOOP, f"{LOCK} in it is no file")
        file = os.fdopen(descriptor, "a+")
    except OSError as error:
        raise UserError(f"{folder} cannot be written ({error.strerror}): give another --name.") from None
    with file:
        try:
            _lock(file, patience)
            if not (path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))):
                raise BlockingIOError  # a run that was refused has just removed this very file
        except BlockingIOError:
            raise UserError(f"{folder} is in use by {_holder(file)}: wait for it, or give another --name.") from None
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            say(f"{folder}: no lock on this filesystem ({error.strerror}), so nothing keeps a second run out")
        else:
            for room in (folder, folder / "checkpoints", folder / "samples"):
                durable.sweep(room)
        locks.add(file)
        try:
            with suppress(OSError):  # who holds it is a courtesy, for which a full disk has no room
                file.truncate(0)
                since = datetime.now().astimezone().isoformat(" ", "seconds")
                holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
                os.write(file.fileno(), json.dumps(holder).encode())
            yield
        finally:
            locks.discard(file)
            if [path.name for path in folder.iterdir()] == [LOCK]:  # all that a refused run has left
                path.unlink()
                folder.rmdir()


def _lock(file: TextIO, patience: float) -> None:
    """Takes a lock, or raises BlockingIOError when that takes too long."""
    last = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= last:
                raise
            time.sleep(1)


def _holder(file: TextIO) -> str:
    """Who wrote a lock file; it may be about to."""
    file.seek(0)
    try:
        holder = json.load(file)
    except json.JSONDecodeError:
        return "another process that has just started"
    return "process {pid} on {host} since {since}".format(**holder)


def claim(folder: Path, ckpt_path: str | None) -> None:
    """Refuses a directory in which another run would be overwritten.

    Args:
        folder: the run directory.
        ckpt_path: what training resumes from, if it does.

    Raises:
        UserError: the directory holds a run that is not the resumed one.
    """
    checkpoints = folder / "checkpoints"
    resumed = ckpt_path is not None and Path(ckpt_path).resolve().parent == checkpoints.resolve()
    if resumed or not (left := results(folder)):
        return
    if trained(folder):
        raise UserError(f"{folder} already holds a run: give another --name, or go on with it by --resume.")
    raise UserError(
        f"{folder} holds what a run has left ({', '.join(left)}), but no checkpoint to go on from: give another --name."
    )


def results(folder: Path) -> list[str]:
    """What a run has left in its directory that another one would overwrite."""
    kept = [name for name in _listed(folder / "checkpoints") if name.endswith((".ckpt", ".safetensors"))]
    there = _listed(folder)
    done = [OVERVIEW] if OVERVIEW in there else []
    others = [] if FILE in there else [name for name in ("config.yaml", "metrics.csv", "samples") if name in there]
    return sorted(name for name in kept if not name.startswith(".")) + done + others  # those no run of ours has begun


def trained(folder: Path) -> bool:
    """Whether a run directory holds a checkpoint: what a kill left before the first one is no run."""
    return not {LAST, PREVIOUS}.isdisjoint(_listed(folder / "checkpoints"))


def _listed(folder: Path) -> list[str]:
    """All names: a client of a network filesystem may believe for a minute that a single one is not there."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def last_checkpoint(folder: Path) -> Path:
    """The newest checkpoint of a run directory: the one before the last, with a line, where the last is damaged.

    Raises:
        UserError: it holds none that is whole.
    """
    if not trained(folder):
        raise UserError(f"{folder} holds no trained run: train it first, or name a --ckpt_path.")
    newest = durable.newest(folder / "checkpoints")
    if newest.warning is not None:
        say(newest.warning)
    return newest.path
