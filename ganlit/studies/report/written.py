"""What a report writes into a folder that is the user's: its own files, as it left them, and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from ganlit.errors import UserError
from ganlit.records.durable import replacing

WHO = "ganlit report"

MARKS = (WHO.encode(), b"run,setting,seed,phase,")
"""One of these is at the start of every file that a report has written."""

MEMORY = "report/written.json"
"""Digests of what the latest report has written, and of what it found and replaced, by name."""


def write(folder: Path, contents: Mapping[str, bytes], stale: Iterable[str] = ()) -> None:
    """Writes the files of a report in place of those of the one before.

    A kill in between leaves files that are both known, the old and the new.

    Args:
        folder: that is reported.
        contents: by name, inside it.
        stale: names of files of an earlier report that this one does not have.

    Raises:
        UserError: a file is not as a report has left it, or cannot be written.
    """
    for path in (folder / name for name in contents):
        if os.path.lexists(path.parent) and not path.parent.is_dir():
            raise UserError(f"{path} cannot be written, {path.parent} is no folder: move that away, then report again.")
    known = _known(folder / MEMORY)
    there = {name: _own(folder / name, known.get(name)) for name in (*contents, *stale)}
    memory = {name: [*there[name], _digest(content)] for name, content in contents.items()}
    files = {MEMORY: json.dumps({"by": WHO, **memory}, indent=1).encode() + b"\n", **contents}
    for name, content in files.items():
        path = Path(os.path.realpath(folder / name))  # a link stays one
        with replacing(path, flush=False) as partial:
            partial.write_bytes(content)
    for name in stale:
        (folder / name).unlink()


def _own(path: Path, known: list[str] | None) -> list[str]:
    """The digest of a file that a report has written, and nobody changed since; none where there is no file.

    Raises:
        UserError: it is another one.
    """
    if not os.path.lexists(path):
        return []
    content = _content(path)
    if content is None or not any(mark in content[:1000] for mark in MARKS):
        raise UserError(f"{path} was not written by ganlit report: move it away, then report again.")
    if known is not None and _digest(content) not in known:
        raise UserError(f"{path} was changed since ganlit report wrote it: move it away, then report again.")
    return [_digest(content)]


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None


def _known(path: Path) -> dict[str, list[str]]:
    _own(path, None)
    try:
        known = json.loads(_content(path) or b"{}")
    except (ValueError, RecursionError):
        known = {}
    lists = known if isinstance(known, dict) else {}
    return {name: digests for name, digests in lists.items() if isinstance(digests, list)}


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
