"""Texts that stand in a table: a column of CSV, or a key of JSON lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ganlit.data.listed import GLANCE, LINES, SUFFIXES, TABLES, Listed
from ganlit.data.objections import Objected
from ganlit.data.source import as_they_lie, fingerprint_of
from ganlit.data.text.source import Each, Source, decoded
from ganlit.errors import UserError, nearest, printable

KEY = "text"
LARGEST = 2**30  # bytes
UNCERTAIN = 0.1


class Row(NamedTuple):
    """An entry."""

    number: int  # of the line in which it ends, from 1 on
    text: str
    label: str | None
    split: str


class Table(Listed, Source):
    """The texts of a column or key; beside it an entry may have a `label`, a word or a number, and a `split`.

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
        rows = [*self._read()]
        if not rows:
            raise UserError(f"{self.shown} has no entries: give it a line for each text.")
        self.rows = self.of(split, rows)

    def renamed(self) -> str:
        return "call the column of the texts so, or set key"

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of([*as_they_lie(self.file), (self.key, 0, 0)])

    def title(self, index: int) -> str:
        return f"{self.shown} line {self.rows[index].number}"

    def stem(self, index: int) -> str:
        return f"{self.name}-{index + 1:06}"

    def numbered(self, each: Each) -> bool:
        return False

    def document(self, index: int) -> str:
        return self.rows[index].text

    def _read(self) -> Iterator[Row]:
        for number, line in self.lines(self._content()):
            found = line.get(self.key)
            if not isinstance(found, str):
                close = nearest(self.key, [*map(str, line)]) or "."
                raise UserError(
                    f"{self.shown} line {number} has no text under {self.key}: call the texts so, or set key to where "
                    f"they are{close}"
                )
            yield Row(number, found, self.labelled(number, line), str(line.get("split") or "").strip())

    def _content(self) -> str:
        try:
            if self.file.stat().st_size > LARGEST:
                raise UserError(f"{self.shown} has more than {LARGEST / 1e6:,.0f} MB: split it.")
            return decoded(self.file.read_bytes())
        except OSError as error:
            raise UserError(f"{self.shown} cannot be read ({error.strerror}): let it be read.") from None
        except Objected as error:
            raise UserError(f"{self.shown} {error.objection.reason}: {error.objection.remedy}.") from None


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
