"""What has happened in a run, for people to read: a sentence a line, in a file of its directory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ganlit.records.durable import replacing


def record(path: Path, events: Sequence[str]) -> None:
    """Writes all of them, and no file where nothing has ever happened.

    It is written anew as a whole: what a resumed run has undone is not in it.
    """
    if events or path.exists():
        with replacing(path, flush=False) as partial:
            partial.write_text("".join(f"{event}\n" for event in events))
