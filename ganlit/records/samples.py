"""The folder `samples` of a run: what its generator did at which kimg, in files to look at or to listen to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from ganlit.records.media import PICTURE, kind_of

FOLDER = "samples"
NAME = re.compile(r"kimg(\d+\.\d)")


class Shown(NamedTuple):
    """What was written at one validation.

    Args:
        kimg: when.
        files: in order; the first is a picture.
    """

    kimg: float
    files: list[Path]


def place(run: Path, kimg: float) -> Path:
    """Where samples of a kimg belong, without their suffix."""
    return run / FOLDER / f"kimg{kimg:08.1f}"


def pictures(run: Path) -> list[Path]:
    """The pictures of a run's samples, one of each kimg, in their order."""
    found = [path for path in (run / FOLDER).glob(f"kimg*{PICTURE}") if NAME.fullmatch(path.stem)]
    return sorted(found, key=lambda path: float(NAME.fullmatch(path.stem)[1]))


def latest(run: Path) -> Shown | None:
    """The latest samples of a run; None where there are none."""
    found: dict[str, list[Path]] = {}
    for path in (run / FOLDER).glob("kimg*"):
        if (match := NAME.match(path.name)) and kind_of(path) is not None:
            found.setdefault(match[1], []).append(path)
    # A kill may have left sounds or numbers without the picture that they belong to.
    found = {kimg: files for kimg, files in found.items() if any(kind_of(file) == "image" for file in files)}
    if not found:
        return None
    last = max(found, key=float)
    return Shown(float(last), sorted(found[last], key=_order))


def _order(path: Path) -> tuple[bool, bool, str]:
    """Pictures first, and among them that of the kimg itself, before those of its prior and the like."""
    return kind_of(path) != "image", NAME.fullmatch(path.stem) is None, path.name
