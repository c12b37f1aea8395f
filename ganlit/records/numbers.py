"""The numbers of a run as its directory keeps them, in metrics.csv."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from ganlit.errors import UserError


class Damaged(UserError):
    """The numbers of a run cannot be read: it is this one file that is to be mended, nothing that was asked."""


def rows(path: Path) -> list[dict[str, str]]:
    """The whole rows of a metrics.csv, numbers by column as they were written, "" where there is none.

    A run may be writing the last row, or was killed in it: without its end it is no row.

    Raises:
        Damaged: not every row has a number for its kimg, and numbers or nothing under every other name.
    """
    try:
        path.lstat()
        if not path.is_file():  # a pipe would be waited for
            raise ValueError("it is no file")
        return _rows(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise Damaged(f"{path} is damaged ({reason[:200]}): mend that, or move it away.") from None


def _rows(text: str) -> list[dict[str, str]]:
    if not text:
        raise ValueError("it is empty")
    if not text.startswith("kimg"):  # also where a kill has left half a line
        raise ValueError("its first column is not kimg")
    whole, _, _ = text.rpartition("\n")
    header, *found = [*csv.reader(io.StringIO(whole, newline=""))] or [["kimg"]]
    if header[:1] != ["kimg"]:
        raise ValueError("its first column is not kimg")
    if twice := next((name for index, name in enumerate(header) if name in header[:index]), None):
        raise ValueError(f"it has two columns {twice}")
    for number, row in enumerate(found, 2):
        if len(row) != len(header):
            raise ValueError(f"row {number} has {len(row)} columns, not {len(header)}")
        for text in filter(None, row):
            float(text)
        if not (row[0] and math.isfinite(float(row[0]))):
            raise ValueError(f"row {number} has the kimg {row[0] or 'of nothing'}")
    return [dict(zip(header, row, strict=True)) for row in found]


def names(row: dict[str, str]) -> tuple[str, ...]:
    """What a row of numbers has values of."""
    return tuple(sorted(name for name, value in row.items() if value))
