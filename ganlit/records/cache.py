"""What is computed once and shared by runs, sweeps and ranks: files in $GANLIT_CACHE, ~/.cache/ganlit by default."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from ganlit.compute.sparing import Later
from ganlit.records.durable import DAMAGE, damage, replacing
from ganlit.records.paths import at_home

torch = Later("torch")

UNSUPPORTED = (errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS)  # some network filesystems know no locks
POLL = 0.5  # seconds between two looks at a lock that another process holds

Say = Callable[[str], None]
Entry = dict[str, Any]


def room(name: str) -> Path:
    """The folder of one kind of entries."""
    return at_home(Path(os.environ.get("GANLIT_CACHE", "~/.cache/ganlit")), "GANLIT_CACHE") / name


def cached(path: Path, compute: Callable[[], Entry], say: Say = print) -> Entry:
    """What an entry holds; it is computed and written where there is none, or a damaged one.

    One process computes while the others wait for it. The kernel frees the lock of one that has died, and the next
    computes in its place. A folder that cannot be written costs the entry, not the result.

    Args:
        path: of the entry; its name is a hash of all that its content depends on.
        compute: tensors, numbers and strings by name.
        say: told what takes time and what went wrong.
    """
    entry = read(path, say)
    if entry is None:
        with alone(path, say):
            entry = read(path, lambda told: None)  # by whom we have waited for
            if entry is None:
                entry = compute()
                write(entry, path, say)
    return entry


def read(path: Path, say: Say = print) -> Entry | None:
    """What an entry holds, or None where there is none that is whole."""
    if not path.is_file():
        return None
    wrong = damage(path)
    if wrong is None:
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except DAMAGE as error:
            wrong = f"cannot be read ({type(error).__name__})"
    say(f"cache: {path} {wrong}: it is made again.")
    return None


def write(entry: Entry, path: Path, say: Say = print) -> None:
    """Writes an entry under another name first, so that nobody meets half of it."""
    try:
        with replacing(path) as partial, partial.open("wb") as file:
            torch.save(entry, file)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError):
            raise
        say(f"cache: {path} cannot be written ({cause.strerror}): free some room, or set GANLIT_CACHE to another.")


@contextmanager
def alone(path: Path, say: Say = print, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Keeps other processes from computing the same entry while the block lasts; waits for one that does.

    Where no lock can be had, two may compute the same: a cost, not a fault, since entries are written whole.

    Args:
        path: of the entry.
        say: told when there is someone to wait for.
        waiting: called now and then while that lasts.
    """
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = path.with_name(f".{path.name}.lock").open("a+")
    except OSError:  # nobody can write there
        yield
        return
    with file:
        _wait(file, path, say, waiting)
        with suppress(OSError):  # a listing: a client of a network filesystem may still hold that there is no entry
            os.listdir(path.parent)
        yield


def _wait(file: TextIO, path: Path, say: Say, waiting: Callable[[], object]) -> None:
    told = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not told:
                say(f"cache: another process is making {path.name}; waiting for it.")
                told = True
            waiting()
            time.sleep(POLL)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            return
