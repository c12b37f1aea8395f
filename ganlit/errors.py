"""The ways in which a run ends early on purpose, and what a refusal adds about a name."""

from __future__ import annotations

import math
import traceback
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path


class UserError(ValueError):
    """One sentence: what is wrong, where (file, key, value), what to do; printed by the CLI without a traceback."""


class Unwritten(UserError, OSError):
    """A file cannot be written, as on a full disk."""

    def __str__(self) -> str:
        return str(self.args[0])  # that of an OSError would begin with its number


class Diverged(UserError):
    """Numbers of a training were not finite, again and again: its settings are to blame, not the machine."""


class Stopped(Exception):
    """Someone asked the run to stop, and it has been saved.

    Args:
        signal: the number of the signal that asked.
    """

    def __init__(self, signal: int) -> None:
        super().__init__(f"stopped by signal {signal}")
        self.signal = signal


def nearest(name: str, known: Collection[str], prefix: str = "") -> str:
    """What the end of a sentence about an unknown name says of the known ones."""
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {prefix}{close[0]}?" if close else ""


def printable(text: str) -> str:
    """The same text with whatever moves a cursor or colours a screen spelled out, as in `\\x1b`."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def reason(error: BaseException) -> str:
    """What went wrong in a line, and in which line of the user's own code, if it was there."""
    said = " ".join(str(error).split())
    said = f"{type(error).__name__}: {said[:300]}" if said else type(error).__name__
    libraries = (
        "site-packages",
        "dist-packages",
        str(Path(__file__).parent),
        str(Path(traceback.__file__).parent),
        "<",
    )
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not any(part in frame.filename for part in libraries)]
    return f"{said}, {own[-1].filename} line {own[-1].lineno}" if own else said


def within(
    key: str,
    value: float | None,
    *,
    optional: bool = False,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
    below: float = math.inf,
) -> None:
    """Refuses a number that is not finite or outside its bounds.

    Args:
        key: where the number stands, as a user would write it.
        value: the number.
        optional: whether there may be none.
        least, above, most, below: what it must be, where that is asked for.

    Raises:
        UserError: it is not.
    """
    if value is None and optional:
        return
    finite = value is not None and (isinstance(value, int) or math.isfinite(value))
    if value is not None and (finite and least <= value <= most and above < value < below):
        return
    bounds = {"at least": least, "above": above, "at most": most, "below": below}
    asked = " and ".join(
        f"{words} {bound:{',' if isinstance(bound, int) else 'g'}}"
        for words, bound in bounds.items()
        if math.isfinite(bound)
    )
    asked = asked if finite else f"a finite number {asked}".rstrip()
    raise UserError(f"{key} is {'null' if value is None else value}: it must be {asked}.")
