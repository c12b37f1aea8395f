"""Recordings that a file lists: a line each, in CSV or JSON, with path, label, start, end and split."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from ganlit.data.audio.reading import SOUNDS, STRANGER, WHOLE, Span
from ganlit.data.audio.source import Source
from ganlit.data.audio.tree import MOST
from ganlit.data.listed import GLANCE, SUFFIXES, Listed
from ganlit.data.source import BadItem, as_they_lie, fingerprint_of
from ganlit.errors import UserError, printable

LARGEST = 2**29  # bytes: a few million lines


class Row(NamedTuple):
    """A line of a manifest."""

    number: int  # of the line, from 1 on
    path: str
    label: str | None
    span: Span
    split: str


class Manifest(Listed, Source):
    """The recordings that a file lists; paths begin where it lies.

    A line has a `path`, and perhaps a `label`, a word or a number; `start` and `end`, in seconds, of what is meant of
    the file; and a `split`. Other columns are not looked at.

    Raises:
        UserError: it is no such list, or has nothing of the split.
    """

    key = "path"

    def __init__(self, file: Path, split: str = "train") -> None:
        self.file, self.shown = file, printable(str(file))
        self.name = printable(file.stem)
        rows = [*self._read()]
        if not rows:
            raise UserError(f"{self.shown} lists nothing: give it a line for each recording.")
        self.rows = self.of(split, rows)

    def renamed(self) -> str:
        return "call the column of the files so"

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of([*as_they_lie(self.file), *map(_lying, dict.fromkeys(map(self._place, self.rows)))])

    def title(self, index: int) -> str:
        row = self.rows[index]
        return f"{self.shown} line {row.number} ({printable(row.path)})"

    def member(self, index: int) -> str:
        return self.rows[index].path

    def stem(self, index: int) -> str:
        start, end = self.span(index)
        return super().stem(index) + (f"-{start:g}" if start or end else "") + (f"-{end:g}" if end else "")

    def span(self, index: int) -> Span:
        return self.rows[index].span

    def at(self, index: int) -> Path:
        place = self._place(self.rows[index])
        if not place.is_file():
            remedy = "mend the path, which begins where the list lies"
            raise BadItem(self.title(index), "missing", "is listed but not there", remedy)
        if (size := place.stat().st_size) > MOST or not size:
            raise BadItem(self.title(index), *STRANGER)
        return place

    def _place(self, row: Row) -> Path:
        return self.file.parent / row.path.replace("\\", "/")

    def _read(self) -> Iterator[Row]:
        try:
            if self.file.stat().st_size > LARGEST:
                raise UserError(f"{self.shown} has more than {LARGEST / 1e6:,.0f} MB: split it.")
            text = self.file.read_text("utf-8-sig")
        except OSError as error:
            raise UserError(f"{self.shown} cannot be read ({error.strerror}): let it be read.") from None
        except UnicodeDecodeError:
            raise UserError(f"{self.shown} is no text in UTF-8: save it as such.") from None
        for number, line in self.lines(text):
            yield self._row(number, line)

    def _row(self, number: int, line: dict[str, Any]) -> Row:
        where = f"{self.shown} line {number}"
        path, label = line.get(self.key), self.labelled(number, line)
        if not isinstance(path, str) or not path or "\0" in path:
            raise UserError(f"{where} has no path: name a file, from where the list lies.")
        start, end = (_seconds(line.get(key), f"{where} has the {key}") for key in ("start", "end"))
        span = Span(start or 0.0, end)
        if span.end is not None and span.end <= span.start:
            raise UserError(f"{where} ends at {span.end:g} s, not behind its start at {span.start:g}: mend it.")
        return Row(number, path, label, WHOLE if span == WHOLE else span, str(line.get("split") or "").strip())


def lists_sound(file: Path) -> bool:
    """Whether a file looks like such a list."""
    if file.suffix.lower() not in SUFFIXES:
        return False
    with file.open("rb") as content:
        words = re.findall(rb"\.\w+", content.read(GLANCE).lower())
    return bool(SOUNDS.intersection(word.decode("ascii", "replace") for word in words))


def _seconds(value: Any, what: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not 0 <= found < math.inf:
        raise UserError(f"{what} {value!r}: let it be a number of seconds.")
    return found


def _lying(place: Path) -> tuple[str, int, int]:
    """What the fingerprint is taken from, also of a file that is not there."""
    try:
        return as_they_lie(place)[0]
    except OSError:
        return str(place), 0, 0
