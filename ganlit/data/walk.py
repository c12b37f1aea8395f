"""What lies in a folder and its sub-folders, whatever it is.

Links are followed, but not into a folder that holds the place where they lie, such as /, nor into one a second time.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ganlit.data.objections import Objection

LITTER = {"__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information", "Thumbs.db", "desktop.ini"}
"""What systems leave in folders that people see: as good as hidden."""

KINDS = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


class Found(NamedTuple):
    """A file, or what else was met and is none."""

    path: str  # inside the folder, with / between its parts
    size: int = 0  # bytes
    changed: int = 0  # nanoseconds since 1970
    fault: Objection | None = None
    unread: bool = False  # a folder that may not be read


class Folded(NamedTuple):
    """A folder yet to be looked into."""

    inside: str  # path, empty or ending in /
    real: str
    linked: bool = False


def hidden(name: str) -> bool:
    """Whether a file or folder of this name, and all in it, is passed over."""
    return name in LITTER or (name.startswith(".") and name not in (".", ".."))


def entries(folder: str | Path) -> list[os.DirEntry[str]]:
    """What is in a folder and not hidden, by name.

    Raises:
        OSError: it may not be read.
    """
    with os.scandir(folder) as found:
        return sorted((entry for entry in found if not hidden(entry.name)), key=lambda entry: entry.name)


def walked(folder: Path) -> Iterator[Found]:
    """All that is in a folder and its sub-folders and not hidden; links wait until what lies there itself is seen."""
    home = os.path.realpath(folder)
    waiting, links = deque([Folded("", home)]), deque[Folded]()
    entered: dict[str, str] = {}
    while waiting or links:
        here = waiting.popleft() if waiting else links.popleft()
        if here.real in entered:
            yield Found(here.inside[:-1], fault=_again(entered[here.real]))
            continue
        entered[here.real] = here.inside
        try:
            inner = entries(here.real)
        except OSError as error:
            yield Found(here.inside[:-1], fault=_unread(error), unread=True)
            continue
        for entry in inner:
            found = _looked_at(entry, here)
            if isinstance(found, Found):
                yield found
            elif not found.linked:
                waiting.append(found)
            elif any(_holds(found.real, below) for below in (here.real, home)):
                yield Found(found.inside[:-1], fault=_above(found.real))
            else:
                links.append(found)


def _looked_at(entry: os.DirEntry[str], here: Folded) -> Found | Folded:
    path = here.inside + entry.name
    try:
        status = entry.stat()
    except OSError as error:
        if entry.is_symlink() and error.errno in (errno.ENOENT, errno.ELOOP):
            return Found(path, fault=_nowhere(error))
        return Found(path, fault=_unread(error), unread=entry.is_dir(follow_symlinks=False))
    if stat.S_ISDIR(status.st_mode):
        linked = entry.is_symlink()
        real = os.path.realpath(entry.path) if linked else os.path.join(here.real, entry.name)
        return Folded(f"{path}/", real, linked)
    if not stat.S_ISREG(status.st_mode):
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        return Found(path, fault=Objection("no file", f"is {kind}, not a file", "remove it"))
    return Found(path, status.st_size, status.st_mtime_ns)


def _holds(folder: str, other: str) -> bool:
    return os.path.commonpath([folder, other]) == folder


def _unread(error: OSError) -> Objection:
    return Objection("unreadable", f"cannot be read ({error.strerror})", "let it be read", spare=False)


def _nowhere(error: OSError) -> Objection:
    return Objection("link", f"is a link that leads nowhere ({error.strerror})", "mend or remove it", spare=False)


def _above(real: str) -> Objection:
    return Objection("link", f"is a link to {real}, in which it lies itself", "remove it")


def _again(before: str) -> Objection:
    return Objection("link", f"is a folder that is in the source already, as {before or 'the whole'}", "remove it")
