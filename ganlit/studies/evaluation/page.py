"""A page of what a training will be given, drawn before there is one."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from math import isnan
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.markup import escape
from rich.table import Table
from torch import Tensor

from ganlit.compute.console import print_table, say
from ganlit.contracts import Pair
from ganlit.data.base import GanDataModule
from ganlit.data.stream import items
from ganlit.records.durable import replacing
from ganlit.records.media import PICTURE, named, one_under_the_other
from ganlit.studies.evaluation.outputs import apart, make_room, new, picture_of, writing

ROWS, COLUMNS = 4, 6  # items that are drawn anew each time, and how often each


class Page(NamedTuple):
    """Items as training sees them, row after row."""

    batch: Any  # as networks take it
    drawn: Mapping[str, Tensor]  # by name what was drawn for each [rows * columns], NaN where nothing was
    columns: int
    anew: bool  # whether a row is one item, drawn anew in each column


def look(data: GanDataModule, picture: Path, among: list[str]) -> None:
    """Prepares data as a training would, and draws a page of its first items: sources above their targets.

    Args:
        data: of any kind.
        picture: a new file; what was drawn for each item comes into a table beside it.
        among: where items may come from, among which no file shall lie.

    Raises:
        UserError: the data cannot be trained on, or a file is there or cannot be.
    """
    picture = picture_of(picture)
    stem = picture.with_suffix("")
    table = named(stem, "-drawn.csv")
    for path in (picture, named(stem, f"-source{PICTURE}"), table):
        new(path, "--picture")
    apart(None, picture, "--picture", among)
    make_room(picture.parent, picture, "--picture")
    data.prepare_data()
    data.setup("fit")
    page = first_page(data)
    with writing("--picture", picture):
        files = draw(page, data, stem)
        if page.drawn:
            write(page, table)
    tell(page, data, files, table)


def first_page(data: GanDataModule) -> Page:
    """What the training sees of its first items, in as many passes as each has columns; else of further items."""
    dataset, size, columns = data.dataset, len(data.dataset), COLUMNS
    order = items(size, data.seed, torch.arange(min(ROWS * COLUMNS, size)))
    places = (order[:ROWS, None] + size * torch.arange(columns)).flatten()
    anew = bool(getattr(dataset, "endless", False)) and differs(data, places[:2])
    if not anew:
        columns = min(COLUMNS, len(order))
        places = order[: len(order) // columns * columns]
    with torch.no_grad():
        batch, drawn = data.degraded(dataset[places])
    return Page(batch, {name: drawn[name] for name in sorted(drawn, key=in_order)}, columns, anew)


def in_order(name: str) -> list[tuple[int, str]]:
    """By the numbers of steps, as a chain gives them: 2/noise comes before 10/blur."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in name.split("/")]


def differs(data: GanDataModule, places: Tensor) -> bool:
    """Whether two items [2] of a training are not the same in all that networks are given."""
    batch = data.to_network(data.dataset[places])
    return not all(torch.equal(part[0], part[1]) for part in batch if part is not None)


def draw(page: Page, data: GanDataModule, stem: Path) -> list[Path]:
    """Sources above targets where both are of one kind, else each in files of its own; the files, a picture first."""
    pair = Pair.of(page.batch)
    kinds = [data.modality] if pair.source is pair.target else [data.modality_of("source"), data.modality]
    parts = [
        list(kind.glance(kind.to_stored(part)).split(1))
        for kind, part in zip(kinds, (pair.source, pair.target), strict=False)
    ]
    if len({kind.name for kind in kinds}) == 1:
        return data.modality.show(one_under_the_other(parts, page.columns), page.columns, stem)
    stems = (named(stem, "-source"), stem)
    drawn = [kind.show(part, page.columns, path) for kind, part, path in zip(kinds, parts, stems, strict=True)]
    return [file for files in drawn for file in files]


def write(page: Page, path: Path) -> None:
    """A table of what was drawn for each item, by its row and column in the page; empty where nothing was."""
    with replacing(path, flush=False) as partial, partial.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["row", "column", *page.drawn])
        for place, values in enumerate(zip(*(values.tolist() for values in page.drawn.values()), strict=True)):
            numbers = ("" if isnan(value) else f"{value:.6g}" for value in values)
            rows.writerow([place // page.columns + 1, place % page.columns + 1, *numbers])


def tell(page: Page, data: GanDataModule, files: list[Path], table: Path) -> None:
    """What there is to train on and to be measured, what the page shows, and what was drawn for it."""
    trained, real, what = data.trained_on, data.reference, f"{data.modality.item}s"
    others = data.trained_of("target").digest != real.digest
    held = f", {len(real.items):,} of {real.name} to be measured" if others else ""
    say(f"data     {trained.name}: {len(trained.items):,} {what} to train on{held}")
    count = len(page.batch[0])
    passes = f"{count // page.columns} {what} as {page.columns} passes show them"
    shown = passes if page.anew else f"the first {count} {what}"
    pair = Pair.of(page.batch)
    above = "" if pair.source is pair.target else ", sources above targets"
    say(f"page     {', '.join(map(str, files))}: {shown}{above}")
    if page.drawn:
        say(f"drawn    {table}: what was drawn for each; on the whole page:")
        print_table(summary(page.drawn))


def summary(drawn: Mapping[str, Tensor]) -> Table:
    """The range and mean of what was drawn, and for how many items it was."""
    told = Table("drawn", "for", "least", "mean", "most", box=None, pad_edge=False)
    for column in told.columns[1:]:
        column.justify = "right"
    for name, values in drawn.items():
        there = values[~values.isnan()].double()
        numbers = (f"{value:.4g}" for value in (there.min(), there.mean(), there.max()))
        told.add_row(escape(name), f"{len(there)} of {len(values)}", *numbers)
    return told
