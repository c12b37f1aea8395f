"""Items that a file lists, a line each, in CSV or in JSON, perhaps with a label and a split."""

from __future__ import annotations

import csv
import io
import json
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from ganlit.data.source import NoLabel, Source
from ganlit.errors import UserError, printable

TABLES = {".csv": ",", ".tsv": "\t"}
LINES = {".jsonl", ".ndjson"}
SUFFIXES = {*TABLES, *LINES}
GLANCE = 2**16  # bytes at a first look


class Row(Protocol):
    """A line, as far as all such files have it."""

    @property
    def number(self) -> int:
        """Of the line in which it ends, from 1 on."""

    @property
    def label(self) -> str | None: ...

    @property
    def split(self) -> str:
        """Nothing where it has none."""


class Listed(Source):
    """The items of one split that a file lists; classes are sorted, by number where all are numbers.

    Attributes:
        file: with one of `SUFFIXES`.
        key: of what every line has, in JSON, or the name of its column.
        shown: the file, as messages call it.
        rows: one for each item.
    """

    file: Path
    key: str
    shown: str
    rows: Sequence[Row]

    @abstractmethod
    def renamed(self) -> str:
        """What to do where no column has the key."""

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(map(printable, self._named)) if self.labels else ()

    def __len__(self) -> int:
        return len(self.rows)

    def label(self, index: int) -> int | None:
        if not self._named:
            return None
        if (label := self.rows[index].label) is None:
            raise NoLabel(self.title(index), "has no label", "add it")
        return self._numbers[label]

    @cached_property
    def _named(self) -> list[str]:
        """The labels that there are, in order."""
        found = {row.label for row in self.rows if row.label is not None}
        return sorted(found, key=int) if all(each.isdecimal() for each in found) else sorted(found)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self._named)}

    def of(self, split: str, rows: Sequence[Any]) -> Sequence[Any]:
        """Those of a split among all rows of the file, of which there are some; the name tells it.

        Raises:
            UserError: there is no such split.
        """
        if splits := dict.fromkeys(row.split for row in rows if row.split):
            rows = [row for row in rows if row.split.lower() == split.lower()]
            self.name = f"{self.name}-{split}"
        elif split != "train":
            raise UserError(f"{self.shown} has no column split: leave split out, or add the column.")
        if not rows:
            raise UserError(f"{self.shown} has no split {split}: set split to one of {', '.join(splits)}.")
        return rows

    def lines(self, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """By number what the lines of the file's text say.

        Raises:
            UserError: one cannot be understood.
        """
        return self._objects(text) if self.file.suffix.lower() in LINES else self._columns(text)

    def labelled(self, number: int, line: dict[str, Any]) -> str | None:
        """The label of a line.

        Raises:
            UserError: it is no label.
        """
        label = line.get("label")
        if label is not None and not isinstance(label, str | int):
            raise UserError(f"{self.shown} line {number} has the label {label!r}: let it be a word or a number.")
        return None if label in (None, "") else str(label).strip()

    def _objects(self, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UserError(f"{self.shown} line {number} is not JSON ({error}): mend it.") from None
            if not isinstance(found, dict):
                raise UserError(f'{self.shown} line {number} is not {{"{self.key}": ...}}: mend it.')
            yield number, found

    def _columns(self, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=TABLES[self.file.suffix.lower()])
        try:
            columns = [*(rows.fieldnames or ())]
            if self.key not in columns:
                there = printable(", ".join(columns[:5])) or "nothing"
                raise UserError(f"{self.shown} has {there} in its first line, not {self.key}: {self.renamed()}.")
            for row in rows:
                yield rows.line_num, row
        except csv.Error as error:
            raise UserError(f"{self.shown} line {rows.line_num} is no CSV ({error}): mend it.") from None
