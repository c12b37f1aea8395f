"""A report as one HTML file that asks nobody for anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ganlit.errors import printable
from ganlit.records.media import Embedded, Place, data_uri, embedded
from ganlit.records.pages import rendered
from ganlit.studies.report.summary import Row, Summary

TEMPLATE = Path(__file__).with_name("page.html")

GRIDS = 40  # settings whose samples are shown


class Player(NamedTuple):
    """A sound."""

    title: str  # where it is in the picture
    source: str  # a data URI


class Samples(NamedTuple):
    """The samples of one setting."""

    number: int
    label: str
    score: str
    media: list[Embedded]  # what is seen or read
    players: list[list[Player]]  # what is heard, line by line
    caption: str


def page(found: Summary, pictures: Mapping[str, bytes]) -> str:
    """The page.

    Args:
        found: what it shows.
        pictures: files by name without suffix, of which "curves" and "importance" are shown.
    """
    rows = sorted(found.rows)
    return rendered(
        TEMPLATE,
        title=found.name,
        titles=found.titles(),
        words={"runs", *(parameter.title for parameter in found.parameters)},
        ranking=found.ranking,
        rows=[zip(found.cells(row), found.keys(row), strict=True) for row in found.rows],
        notes=found.notes(),
        damage=found.damage,
        legend=found.legend(),
        reasons=found.reasons(),
        curves=data_uri(pictures["curves"]) if "curves" in pictures else None,
        importance=data_uri(pictures["importance"]) if "importance" in pictures else None,
        samples=[grid for row in rows[:GRIDS] if (grid := _samples(found, row)) is not None],
        left_out=max(len(rows) - GRIDS, 0),
    )


def _samples(found: Summary, row: Row) -> Samples | None:
    shown = row.median.samples
    files = [file for file in shown.files if file.is_file()] if shown else []  # a pipe would be waited for
    taken = {file: each for file in files if (each := embedded(file)) is not None}
    media = list(taken.values())
    if not media:
        return None
    own = found.ranking.take(row.median) if found.ranking and found.ranking.name in row.median.curves else None
    value = "" if own is None else f", {found.ranking.title} {own:.4g}"
    scaled = ", scaled down" if any(each.scaled for each in media) else ""
    fewer = f", {left} too large to be shown" if (left := len(shown.files) - len(media)) else ""
    caption = f"seed {row.median.seed}{value}, at {shown.kimg:g} kimg{scaled}{fewer}"
    others = [each for each in media if each.kind != "audio"]
    return Samples(row.number, found.label(row), f"{row.score}", others, players(taken), printable(caption))


def players(taken: Mapping[Path, Embedded]) -> list[list[Player]]:
    """What is heard, by columns of the picture that it is beside, each from its top row on; the rest one by one."""
    lines: dict[object, list[Player]] = {}
    for file, each in taken.items():
        if each.kind == "audio":
            place = Place.of(file)
            column = file if place is None else (place.picture, place.column)
            title = file.stem if place is None else f"row {place.row + 1}, column {place.column + 1}"
            lines.setdefault(column, []).append(Player(title, each.source))
    return list(lines.values())
