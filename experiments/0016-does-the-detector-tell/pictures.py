"""Two sheets to look at: ten alarms and ten silences, a row each, of runs that are chosen by a hash of their names.

They are of seed 0, so that further seeds leave them as they are.

    python experiments/0016-does-the-detector-tell/pictures.py runs results.csv [FOLDER]

In a row of an alarm stand what was made at a quarter and a half of the way to it, at the alarm
and at the end; in one of a silence what was made at a quarter, a half and three quarters of the run, and at the end.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw

CELL, LABEL, COUNT = (160, 128), 14, 10
DIGITS = (0, 0, 160, 128)  # of a grid of samples, as many as fit
LEVELS = 32


class Case(NamedTuple):
    """A row of a sheet."""

    run: str
    says: str
    clocks: tuple[float, ...]  # kimg


def cases(rows: Sequence[dict[str, str]]) -> tuple[list[Case], list[Case]]:
    """Alarms, the first of a run, no two of one kind ahead of all kinds; and runs in which nothing rang."""
    mixed = sorted(rows, key=lambda row: blake2b(row["run"].encode()).digest())
    alarms, silences = [], []
    for row in mixed:
        end = float(row["kimg"])
        says = f"{row['run']}: {row['truth']} {row['wrong']}" + (f" from {row['onset']}" if row["onset"] else "")
        if row["alarms"]:
            name, kimg = row["alarms"].split()[0].split("@")
            at = float(kimg)
            alarms.append(Case(row["run"], f"{says} | {name} at {at:g} of {end:g}", (at / 4, at / 2, at, end)))
        else:
            silences.append(Case(row["run"], f"{says} | silence to {end:g}", (end / 4, end / 2, end * 0.75, end)))
    return varied(alarms)[:COUNT], silences[:COUNT]


def varied(alarms: Sequence[Case]) -> list[Case]:
    """The first of each kind of alarm, then the second of each, and so on."""
    seen: dict[str, int] = {}
    turns = []
    for case in alarms:
        kind = case.says.split(" | ")[1].split()[0]
        seen[kind] = seen.get(kind, 0) + 1
        turns.append(seen[kind])
    return [case for _, case in sorted(zip(turns, alarms, strict=True), key=lambda pair: pair[0])]


def picture(run: Path, clock: float) -> Image.Image:
    """What was made nearest to a clock, in the size of a cell."""
    there = {float(re.sub("[a-z]", "", path.stem)): path for path in run.glob("samples/kimg*.png")}
    shown = Image.open(there[min(there, key=lambda kimg: abs(kimg - clock))]).convert("L")
    if run.name.startswith(("ring", "grid")):
        side = min(CELL)
        canvas = Image.new("L", CELL, 255)
        canvas.paste(shown.resize((side, side), Image.Resampling.LANCZOS), ((CELL[0] - side) // 2, 0))
        return canvas
    return shown.crop(DIGITS)


def sheet(folder: Path, some: Sequence[Case], to: Path) -> None:
    across = max(len(case.clocks) for case in some)
    whole = Image.new("L", (across * (CELL[0] + 4), len(some) * (CELL[1] + LABEL + 4)), 255)
    draw = ImageDraw.Draw(whole)
    for row, case in enumerate(some):
        top = row * (CELL[1] + LABEL + 4)
        draw.text((2, top), f"{row + 1}  {case.says}", fill=0)
        for column, clock in enumerate(case.clocks):
            whole.paste(picture(folder / case.run, clock), (column * (CELL[0] + 4), top + LABEL))
    whole.quantize(LEVELS).save(to, optimize=True)


if __name__ == "__main__":
    given = [Path(each) for each in sys.argv[1:]]
    with given[1].open() as file:
        alarms, silences = cases([row for row in csv.DictReader(file) if row["run"].endswith("-0")])
    into = given[2] if len(given) > 2 else Path(__file__).parent
    sheet(given[0], alarms, into / "alarms.png")
    sheet(given[0], silences, into / "silences.png")
