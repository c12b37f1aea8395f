"""What a command says while it works, in one place and on one rank."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TextIO

import rich
from lightning_utilities.core.rank_zero import rank_zero_only
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from ganlit.errors import printable

WIDEST = 500  # characters in a line that nobody's screen folds
LOST = (OSError, ValueError, RuntimeError)
"""What writing raises: nobody takes it, the stream is closed, or a signal's answer speaks amid another sentence."""
RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")
"""Variables that tell which process this is, in Lightning's order."""

rank_zero_only.rank = getattr(rank_zero_only, "rank", int(next(filter(None, map(os.environ.get, RANKS)), 0)))
# as Lightning sets it, which says so where it is there; a command that does without it has ranks, too


@rank_zero_only
def say(text: str) -> None:
    """Prints a line, above the bar where there is one; long lines and brackets stay as they are."""
    text = "\n".join(map(printable, text.split("\n")))
    with lasting():
        rich.get_console().print(text, markup=False, highlight=False, soft_wrap=True)


def clock(seconds: float) -> str:
    """75 seconds are "1:15", 4000 are "1:06:40"."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def print_table(table: Table) -> None:
    """Prints a table: folded to a terminal, in full lines elsewhere."""
    with lasting():
        console = rich.get_console()
        if not console.is_terminal:
            console = Console(width=WIDEST)
        _print(console, table, highlight=False)


def print_wide(table: Table) -> None:
    """Prints a table in full lines also where it is wider than the screen: nothing is lost."""
    with lasting():
        console = rich.get_console()
        table.width = Measurement.get(console, console.options.update(width=2 * WIDEST), table).maximum
        _print(console, table, crop=False)


def _print(console: Console, table: Table, **options: Any) -> None:
    """Prints a table; where nobody's screen ends, its lines end with their last letter, not with that of the widest."""
    if console.is_terminal:
        console.print(table, **options)
        return
    with console.capture() as captured:
        console.print(table, **options)
    console.out(*(line.rstrip() for line in captured.get().splitlines()), sep="\n", highlight=False)


def fold_last(table: Table, least: int) -> None:
    """Where the screen is narrow, the last column is folded, but to no fewer characters than these."""
    table.columns[-1].overflow = "fold"
    table.columns[-1].min_width = least


class Lasting:
    """A stream that takes whatever is written to it: what it has no letter for is a "?", what nobody takes is lost.

    No work of hours ends because a name has an accent, a reader has left its pipe, or the disk of a log is full.

    Args:
        stream: a text stream, which is all this is beside its writing.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream: TextIO = getattr(stream, "rich_proxied_file", stream)  # below the bar of whom we print above
        self.kept = ""  # that could not be said yet
        self.reason: str | None = None  # why something was lost, where somebody could have read it

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        whole, self.kept = self.kept + text, ""
        try:
            self.stream.write(whole)
        except UnicodeEncodeError:
            self.write(whole.encode(self.encoding, "replace").decode(self.encoding))
        except RuntimeError:  # the answer to a signal that came amid another sentence: it is said with the next one
            self.kept = whole
        except LOST as error:
            self._lose(error)
        return len(text)

    def flush(self) -> None:
        if self.kept:
            self.write("")
        try:
            self.stream.flush()
        except LOST as error:
            self._lose(error)

    def _lose(self, error: Exception) -> None:
        """Empties the buffer into nowhere: Python would try again at the next line, and complain at the very end."""
        if not isinstance(error, BrokenPipeError):  # whose reader has had enough
            self.reason = getattr(error, "strerror", None) or str(error)
        with suppress(*LOST):
            place = self.stream.fileno()
            kept, nowhere = os.dup(place), os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(nowhere, place)
                self.stream.flush()
            finally:
                os.dup2(kept, place)
                os.close(kept)
                os.close(nowhere)


@cache  # once is enough
def _complain(reason: str) -> None:
    print(f"standard output cannot be written ({reason}): what is said is lost, the work goes on", file=sys.stderr)


@contextmanager
def lasting() -> Iterator[None]:
    """While the block lasts, nothing that is printed can end it; behind it is told if words were lost."""
    if isinstance(sys.stdout, Lasting):
        yield
        return
    before = sys.stdout, sys.stderr
    out, err = (None if stream is None else Lasting(stream) for stream in before)
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        if out is not None:
            out.flush()
            if out.reason is not None:
                _complain(out.reason)
        sys.stdout, sys.stderr = before
