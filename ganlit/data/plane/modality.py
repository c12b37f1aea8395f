"""Points in the plane as the house knows them: float32 [B, 2], stored and in networks alike."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from torch import Tensor

from ganlit.contracts import Modality
from ganlit.data.plane.mixture import Mixture
from ganlit.data.plane.picture import picture
from ganlit.data.plane.points import SUFFIX, Points, begins_like_points, write
from ganlit.data.walk import walked
from ganlit.errors import UserError
from ganlit.records.media import named, write_picture

GLANCE = 200  # files of a folder at a first look
LIKELY = 0.9  # how much a table of x and y looks like points


class PlaneModality(Modality):
    """Points, each a CSV file of one row where it is written, or a row of one where many are.

    Args:
        mixture: that they should be drawn from; None of points from elsewhere.
    """

    name = "plane"
    item = "point"
    axes = "coordinates"
    shaped_by = "the plane's two coordinates"
    extractor = "coordinates"
    listings = (SUFFIX,)

    def __init__(self, mixture: Mixture | None = None) -> None:
        self.mixture = mixture

    def to_network(self, stored: Tensor) -> Tensor:
        return stored.float()

    def to_stored(self, output: Tensor) -> Tensor:
        return output.float()

    def write(self, stored: Tensor, path: Path, beside: Any = None) -> Path:
        return write([stored[None]], named(path, SUFFIX))

    def write_all(self, stored: Iterable[Tensor], file: Path, about: Iterable[Mapping[str, Any]] | None = None) -> Path:
        """A row for each, and nothing else."""
        return write(stored, file)

    def show(self, rows: Sequence[Tensor], columns: int, path: Path) -> list[Path]:
        """All of them in one picture, on circles where modes are."""
        return [write_picture(picture(rows, self.mixture), path)]

    def recognises(self, place: str) -> float:
        path = Path(os.path.expanduser(place))
        if place.strip() and os.path.isdir(path):
            files = [path / found.path for found in islice(walked(path), GLANCE)]
            return LIKELY * sum(map(_looks_like_points, files)) / max(len(files), 1)
        return LIKELY * (os.path.isfile(path) and _looks_like_points(path))

    def open(self, place: str, split: str, root: Path) -> Points:
        return Points(Path(place).expanduser())

    def check(self, place: str, split: str, root: Path, batch: int) -> None:
        """How many there are, and between which coordinates.

        Args:
            place: a CSV file with the columns x and y, or a folder of some.
            split: there is one.
            root: is not needed.
            batch: points in a step.
        """
        try:
            found = Points(Path(place).expanduser())
        except UserError as error:
            print(error)
            raise SystemExit(1) from None
        low, high = ([f"{value:g}" for value in ends] for ends in (found.points.amin(0), found.points.amax(0)))
        print(f"{found.name}: {len(found):,} points, x from {low[0]} to {high[0]}, y from {low[1]} to {high[1]}")
        if len(found) < batch:
            print(f"fewer than a batch of {batch}")
            raise SystemExit(1)


def _looks_like_points(file: Path) -> bool:
    return file.suffix.lower() == SUFFIX and begins_like_points(file)
