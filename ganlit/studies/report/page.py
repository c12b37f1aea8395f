"""A report as one HTML file that asks nobody for anything."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment
from PIL import Image

from ganlit.studies.report.summary import Row, Summary

TEMPLATE = Path(__file__).with_name("page.html")

GRIDS = 40  # settings whose samples are shown
LARGE = 700_000  # bytes of a picture; a larger one is scaled down
WIDTH = 1400  # pixels, then


class Samples(NamedTuple):
    """The samples of one setting."""

    number: int
    label: str
    score: str
    image: str  # a data URI
    width: int
    caption: str


def page(found: Summary, pictures: Mapping[str, bytes]) -> str:
    """The page.

    Args:
        found: what it shows.
        pictures: PNG files by name, of which "curves.png" and "importance.png" are shown.
    """
    rows = sorted(found.rows)
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(TEMPLATE.read_text())
    return template.render(
        title=found.folder.resolve().name,
        when=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        titles=found.titles(),
        words={"runs", *(parameter.title for parameter in found.parameters)},
        ranking=found.ranking,
        rows=[zip(found.cells(row), found.keys(row), strict=True) for row in found.rows],
        notes=found.notes(),
        legend=found.legend(),
        reasons=found.reasons(),
        curves=_uri(pictures["curves.png"]) if "curves.png" in pictures else None,
        importance=_uri(pictures["importance.png"]) if "importance.png" in pictures else None,
        samples=[grid for row in rows[:GRIDS] if (grid := _samples(found, row)) is not None],
        left_out=max(len(rows) - GRIDS, 0),
    )


def _samples(found: Summary, row: Row) -> Samples | None:
    path = row.median.grid
    if path is None:
        return None
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            width, scaled = image.width, ""
            if len(content) > LARGE:
                small = image.convert("RGB")
                small.thumbnail((WIDTH, WIDTH))
                written = io.BytesIO()
                small.save(written, "JPEG", quality=90)
                content, width, scaled = written.getvalue(), small.width, ", scaled down"
    except OSError:  # a picture that cannot be read is not worth a report
        return None
    own = found.ranking.take(row.median) if found.ranking and found.ranking.name in row.median.curves else None
    value = "" if own is None else f", {found.ranking.title} {own:.4g}"
    caption = f"seed {row.median.seed}{value}, at {float(path.stem.removeprefix('kimg')):g} kimg{scaled}"
    uri = _uri(content, "jpeg" if scaled else "png")
    return Samples(row.number, found.label(row), f"{row.score}", uri, width, caption)


def _uri(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"
