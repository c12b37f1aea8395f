"""How a run went, by its truth alone: Fréchet distance, classes or modes, recall and quality; no signal is read.

A validation is bad by

- `modes`: what is made is as uneven as if fewer than half of the classes or modes were left, KL(made || real) > ln 2;
- `variety`: fewer than a tenth of the held-out digits lie among what is made (recall, arXiv 1904.06991);
- `far`: the Fréchet distance is above 8, eight times that of real digits; or, in the plane, quality is less than half
  of that of points strewn evenly over the square;
- `copies`: more than half of the samples are nearer to a training image than 19 of 20 held-out digits are;
- `lost`: the Fréchet distance is twice its best so far, and by more than 1 above it; or, in the plane, quality is less
  than half of its best so far.

A run that never has two validations in a row that are not bad is ill after its first quarter, in which nothing has to
be learnt yet. One that has, is ill if after that three in a row are bad, or the last two, from the first of these on.
One that has none that is bad after it was good is well; what is between is in doubt, and counts as neither.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

UNEVEN, FEW, LASTING, FIRST = math.log(2), 0.1, 3, 0.25
FAR, FARTHER, BY = 8.0, 2.0, 1.0
MOST = 0.5
STREWN = {"ring": 8.4, "grid": 28.3}  # percent of an even spread over the square that lies near a mode
MEASURES = ("fid", "recall", "quality", "rkl", "modes")


class Seen(NamedTuple):
    """What was measured at a validation; nan where it was not, or was not finite."""

    kimg: float
    fid: float = math.nan
    recall: float = math.nan
    quality: float = math.nan
    rkl: float = math.nan
    modes: float = math.nan
    copied: float = math.nan


class Verdict(NamedTuple):
    label: str  # ill, well or doubt
    onset: float  # kimg; nan where nothing lasts
    kinds: tuple[str, ...]  # what was wrong from the onset on, in the order of its appearance


def bad(base: str, seen: Sequence[Seen], place: int) -> list[str]:
    """What is bad at a validation, in the light of those before it.

    Args:
        base: ring, grid, or one of images.
        seen: every validation of the run.
        place: of this one.
    """
    now, before = seen[place], seen[:place]
    found = {"modes": now.rkl > UNEVEN or now.modes == 0, "variety": now.recall < FEW, "copies": now.copied > MOST}
    if base in STREWN:
        best = max((each.quality for each in before), default=math.nan)
        found |= {"far": now.quality < STREWN[base] / 2, "lost": now.quality < best / 2}
    else:
        best = min((each.fid for each in before if math.isfinite(each.fid)), default=math.nan)
        far = now.fid > FAR or not math.isfinite(now.fid)
        found |= {"far": far, "lost": now.fid > max(FARTHER * best, best + BY)}
    return [name for name, is_so in found.items() if is_so]


def verdict(base: str, seen: Sequence[Seen], end: float, died: bool = False) -> Verdict:
    """How a run went.

    Args:
        base: ring, grid, or one of images.
        seen: its validations.
        end: kimg that it was to have.
        died: whether it ended by itself ahead of that: it is ill from its last validation on, at the latest.
    """
    found = [bad(base, seen, place) for place in range(len(seen))]
    good = next((place for place, (one, other) in enumerate(pairwise(found)) if not one and not other), None)
    if good is None:
        onset = next((place for place, each in enumerate(seen) if each.kimg > FIRST * end), max(0, len(seen) - 1))
        return Verdict("ill", seen[onset].kimg if seen else 0.0, appearing(found[onset:]) or ("died",))
    for place in range(good, len(seen)):
        row = found[place : place + LASTING]
        if all(row) and len(row) >= LASTING - 1:
            return Verdict("ill", seen[place].kimg, appearing(found[place:]))
    if died:
        return Verdict("ill", seen[-1].kimg, ("died",))
    return Verdict("doubt" if any(found[good:]) else "well", math.nan, ())


def appearing(found: Sequence[list[str]]) -> tuple[str, ...]:
    """What is bad, each once, in the order of its appearance."""
    return tuple(dict.fromkeys(name for names in found for name in names))


def measured(metrics: Path) -> list[Seen]:
    """The validations in a metrics.csv, without its last test."""
    with metrics.open() as file:
        rows = list(csv.DictReader(file))
    columns = {}
    for measure in MEASURES:
        named = (name for name in rows[0] if name.startswith(measure) and "@" in name)
        if (column := next(named, None)) is not None:
            columns[measure] = column
    found: dict[float, Seen] = {}
    for row in rows:
        values = {measure: float(row[column]) for measure, column in columns.items() if row[column]}
        if values and float(row["kimg"]) not in found:
            found[float(row["kimg"])] = Seen(float(row["kimg"]), **values)
    return list(found.values())
