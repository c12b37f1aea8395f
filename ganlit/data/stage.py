"""Decoded items on a disk of the machine itself, for where the cache lies on a file server that many read from."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from pathlib import Path

import rich.progress
from rich.console import Console

from ganlit.data.store import ABOUT, ITEMS, Stored, mapped, taking_place
from ganlit.errors import UserError
from ganlit.records.cache import Say, alone
from ganlit.records.paths import at_home

CHUNK = 2**23


def expanded(stage: Path) -> Path:
    """A folder with ~ and the variables of the environment replaced by what they stand for here.

    Raises:
        UserError: a variable is not set, or nobody has that home.
    """
    for name in re.findall(r"\$\{?(\w+)", str(stage)):
        if not os.environ.get(name):
            host = socket.gethostname()
            raise UserError(
                f"data.init_args.stage is {stage}, but {name} is not set on {host}: set it, or leave it out."
            )
    return at_home(Path(os.path.expandvars(stage)), "data.init_args.stage")


def staged(stored: Stored, stage: Path) -> Stored | None:
    """The same dataset mapped from its copy; None where there is none that is whole."""
    found = mapped(_copy_of(stored, stage))
    same = found is not None and found.reference.digest == stored.reference.digest
    return found._replace(folder=stored.folder) if same else None


def copy(stored: Stored, stage: Path, say: Say = print) -> None:
    """Has a whole copy of the items in a folder, for one process of each machine to call.

    What is there already is left as it is. A disk that has no room, or cannot be written, costs the copy alone.

    Args:
        stored: the dataset in the cache.
        stage: the folder; several datasets, users and jobs may share it.
        say: told where the copy is.
    """
    there, size = _copy_of(stored, stage), stored.reference.items.nbytes
    began = time.monotonic()
    try:
        with alone(there, say):
            if staged(stored, stage) is None:
                for leftover in there.parent.glob(f".{there.name}-*"):  # of a job that was killed
                    shutil.rmtree(leftover, ignore_errors=True)
                with taking_place(there, lambda: staged(stored, stage) is not None) as unfinished:
                    _refuse_size(size, unfinished)
                    _transfer(stored.folder / ITEMS, unfinished / ITEMS)
                    shutil.copyfile(stored.folder / ABOUT, unfinished / ABOUT)
    except OSError as error:
        host, reason = socket.gethostname(), error.strerror or error
        print(f"stage: {there} on {host} cannot be written ({reason}): this node reads from {stored.folder} instead.")
        return
    say(f"stage    {stored.reference.name}: {size / 1e6:,.1f} MB in {there} ({time.monotonic() - began:.1f} s)")


def _copy_of(stored: Stored, stage: Path) -> Path:
    return stage / f"ganlit-{os.getuid()}" / stored.folder.name


def _refuse_size(size: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise OSError(f"it needs {size / 1e6:,.1f} MB and {free / 1e6:,.1f} MB are free")


def _transfer(source: Path, target: Path) -> None:
    console = Console(stderr=True)
    options = {"console": console, "transient": True, "disable": not console.is_terminal}
    with rich.progress.open(source, "rb", description="Copying data", **options) as items, target.open("wb") as file:
        shutil.copyfileobj(items, file, CHUNK)
