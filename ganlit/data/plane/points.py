"""Points of the plane in files: CSV with the columns x and y, a point in each row."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import torch
from torch import Tensor

from ganlit.contracts import Collection
from ganlit.errors import UserError, printable
from ganlit.records.durable import replacing

SUFFIX = ".csv"
NAMES = ["x", "y"]
TOGETHER = 4096


class Points(Collection):
    """The points of a file, or of all such files below a folder.

    Args:
        place: of them.
        choice: the numbers of some; all by default.

    Raises:
        UserError: there is none.
    """

    def __init__(self, place: Path, choice: Sequence[int] | None = None) -> None:
        self.place = place
        self.choice = choice
        files = sorted(place.rglob(f"*{SUFFIX}")) if place.is_dir() else [place]
        self.rows = [(file, number, point) for file in files for number, point in enumerate(read(file))]
        if not self.rows:
            raise UserError(
                f"{printable(str(place))} holds no point: name a CSV file with the columns x and y, or more."
            )
        if choice is not None:
            self.rows = [self.rows[number] for number in choice]

    @property
    def name(self) -> str:
        return self.place.name

    @cached_property
    def points(self) -> Tensor:
        """[N, 2] float32."""
        return torch.tensor([point for _, _, point in self.rows])

    @property
    def digest(self) -> str:
        return blake2b(self.points.numpy().tobytes(), digest_size=16).hexdigest()

    @property
    def labels(self) -> Tensor:
        return torch.zeros(len(self), dtype=torch.int64)

    @property
    def classes(self) -> tuple[str, ...]:
        return ()

    @property
    def paths(self) -> list[str]:
        inside = self.place if self.place.is_dir() else self.place.parent
        return [f"{file.relative_to(inside).with_suffix('').as_posix()}-{number}" for file, number, _ in self.rows]

    @property
    def together(self) -> int:
        return TOGETHER

    @property
    def whole(self) -> Points:
        return self if self.choice is None else Points(self.place)

    def chosen(self, places: Sequence[int]) -> Points:
        return Points(self.place, [place if self.choice is None else self.choice[place] for place in places])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: slice | Tensor) -> Tensor:
        return self.points[places]


def read(file: Path) -> list[list[float]]:
    """The points of a file.

    Raises:
        UserError: it has no columns x and y, or something else than numbers in them.
    """
    number = 1
    try:
        with file.open(newline="", encoding="utf-8") as text:
            rows = csv.DictReader(text)
            if not {*NAMES} <= {*(rows.fieldnames or ())}:
                raise UserError(f"{printable(str(file))} has no columns x and y in its first line: add that line.")
            found = []
            for row in rows:
                number = rows.line_num
                found.append([float(row[name]) for name in NAMES])
                if not all(map(math.isfinite, found[-1])):
                    raise ValueError
    except (ValueError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"{printable(str(file))} has in line {number} no two finite numbers as x and y: mend it, or leave it out."
        ) from None
    except (OSError, csv.Error) as error:
        raise UserError(f"{printable(str(file))} cannot be read ({error}): name another file.") from None
    return found


def begins_like_points(file: Path) -> bool:
    """Whether a file names the columns in its first line."""
    try:
        with file.open(encoding="utf-8") as text:
            return {*NAMES} <= {name.strip() for name in text.readline(1000).split(",")}
    except (OSError, ValueError):
        return False


def write(points: Iterable[Tensor], file: Path) -> Path:
    """Writes points, batches [B, 2] of them, into a file."""
    with replacing(file, flush=False) as partial, partial.open("w", newline="", encoding="utf-8") as text:
        rows = csv.writer(text)
        rows.writerow(NAMES)
        for batch in points:
            rows.writerows(batch.tolist())
    return file
