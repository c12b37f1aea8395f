"""Texts that stand in a table: a column of CSV, or a key of JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from ganlit.data.objections import Objected
from ganlit.data.source import NoLabel, as_they_lie, fingerprint_of
from ganlit.data.text.source import Each, Source, decoded
from ganlit.errors import UserError, nearest, printable

TABLES = {".csv": ",", ".tsv": "\t"}
LINES = {".jsonl", ".ndjson"}
SUFFIXES = {*TABLES, *LINES}
KEY = "text"
LARGEST = 2**30  # bytes
GLANCE = 2**16  # bytes at a first look
UNCERTAIN = 0.1


class Row(NamedTuple):
    """An entry."""

    number: int  # of the line in which it ends, from 1 on
    text: str
    label: str | None


class Table(Source):
    """The texts of a column or key; beside it an entry may have a `label`, a word or a number, and a `split`.

    Classes are sorted, by number where all are numbers.

    Args:
        file: in CSV (or TSV) with names in its first line, or a JSON object in each line.
        split: "train", or what else the column of that name has.
        key: of the texts.

    Raises:
        UserError: it is no such table, or has nothing of the split.
    """

    def __init__(self, file: Path, split: str = "train", key: str = KEY) -> None:
        self.file, self.shown, self.key = file, printable(str(file)), key
        self.name = printable(file.stem)
        entries = [*self._read()]
        if not entries:
            raise UserError(f"{self.shown} has no entries: give it a line for each text.")
        if splits := dict.fromkeys(str(line["split"]) for _, line in entries if line.get("split")):
            entries = [(row, line) for row, line in entries if str(line.get("split")).lower() == split.lower()]
            self.name = f"{self.name}-{split}"
        elif split != "train":
            raise UserError(f"{self.shown} has no {split} among its splits: leave split out, or add such a column.")
        if not entries:
            raise UserError(f"{self.shown} has no split {split}: set split to one of {', '.join(splits)}.")
        self.rows = [row for row, _ in entries]

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of([*as_they_lie(self.file), (self.key, 0, 0)])

    @cached_property
    def _named(self) -> list[str]:
        found = {row.label for row in self.rows if row.label is not None}
        return sorted(found, key=int) if all(each.isdecimal() for each in found) else sorted(found)

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(map(printable, self._named)) if self.labels else ()

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self._named)}

    def __len__(self) -> int:
        return len(self.rows)

    def title(self, index: int) -> str:
        return f"{self.shown} line {self.rows[index].number}"

    def stem(self, index: int) -> str:
        return f"{self.name}-{index + 1:06}"

    def numbered(self, each: Each) -> bool:
        return False

    def document(self, index: int) -> str:
        return self.rows[index].text

    def label(self, index: int) -> int | None:
        if not self._named:
            return None
        if (label := self.rows[index].label) is None:
            raise NoLabel(self.title(index), "has no label", "add it")
        return self._numbers[label]

    def _read(self) -> Iterator[tuple[Row, dict[str, Any]]]:
        text = self._content()
        for number, line in self._objects(text) if self.file.suffix.lower() in LINES else self._columns(text):
            where, found, label = f"{self.shown} line {number}", line.get(self.key), line.get("label")
            if not isinstance(found, str):
                close = nearest(self.key, [*map(str, line)])
                raise UserError(f"{where} has no text under {self.key}: set key to where the texts are{close or '.'}")
            if label is not None and not isinstance(label, str | int):
                raise UserError(f"{where} has the label {label!r}: let it be a word or a number.")
            yield Row(number, found, None if label in (None, "") else str(label).strip()), line

    def _content(self) -> str:
        try:
            if self.file.stat().st_size > LARGEST:
                raise UserError(f"{self.shown} has more than {LARGEST / 1e6:,.0f} MB: split it.")
            return decoded(self.file.read_bytes())
        except OSError as error:
            raise UserError(f"{self.shown} cannot be read ({error.strerror}): let it be read.") from None
        except Objected as error:
            raise UserError(f"{self.shown} {error.objection.reason}: {error.objection.remedy}.") from None

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
                raise UserError(
                    f"{self.shown} has {there} in its first line, not {self.key}: call the column of the texts so, "
                    "or set key."
                )
            for row in rows:
                yield rows.line_num, row
        except csv.Error as error:
            raise UserError(f"{self.shown} line {rows.line_num} is no CSV ({error}): mend it.") from None


def lists_texts(file: Path, key: str = KEY) -> float:
    """How much a file looks like such a table: from 0, not at all, to 1; a little where its texts have another key."""
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        return 0.0
    with file.open("rb") as content:
        beginning = content.read(GLANCE)
    first = beginning.split(b"\n", 1)[0].decode("utf-8", "replace").lstrip("\ufeff").strip()
    if suffix in LINES:
        return 1.0 if f'"{key}"' in first else UNCERTAIN
    return 1.0 if key in next(csv.reader([first], delimiter=TABLES[suffix]), []) else UNCERTAIN
