"""The numbers of a run as its directory keeps them, in metrics.csv."""

from __future__ import annotations

import csv
from pathlib import Path

from ganlit.errors import UserError


def rows(path: Path) -> list[dict[str, str]]:
    """The whole rows of a metrics.csv, numbers by column as they were written, "" where there is none.

    A run may be writing the last row, or was killed in it: without its end it is no row.

    Raises:
        UserError: it is damaged.
    """
    try:
        whole, _, _ = path.read_text().rpartition("\n")
        header, *found = [*csv.reader(whole.splitlines())] or [["kimg"]]
        if header[:1] != ["kimg"]:
            raise ValueError("its first column is not kimg")
        for number, row in enumerate(found, 2):
            if len(row) != len(header):
                raise ValueError(f"row {number} has {len(row)} columns, not {len(header)}")
            for text in filter(None, row):
                float(text)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"{path} is damaged ({' '.join(str(error).split())}): mend that, or move it away.") from None
    return [dict(zip(header, row, strict=True)) for row in found]


def names(row: dict[str, str]) -> tuple[str, ...]:
    """What a row of numbers has values of."""
    return tuple(sorted(name for name, value in row.items() if value))
