"""One page of all that the latent tools have found of a run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from inspect import getdoc
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NamedTuple

from ganlit.compute.console import say
from ganlit.errors import UserError, printable
from ganlit.records.durable import replacing
from ganlit.records.media import Embedded, embedded, kind_of
from ganlit.records.pages import rendered
from ganlit.studies.evaluation.outputs import beside, make_room, new, writing
from ganlit.studies.evaluation.subject import reachable
from ganlit.studies.latent.folder import NUMBERS

TEMPLATE = Path(__file__).with_name("page.html")
PREFIX = "latent-"
ROWS = 200  # of a table
LONGEST = 12  # numbers of a list that is shown


class Shown(NamedTuple):
    """A picture or a film."""

    name: str
    media: Embedded


class Sheet(NamedTuple):
    """A table."""

    name: str
    heads: list[str]
    rows: list[list[str]]
    left_out: int


class Part(NamedTuple):
    """What one command has found."""

    name: str
    title: str
    purpose: str
    media: list[Shown]
    numbers: list[tuple[str, str]]
    tables: list[Sheet]
    left_out: list[str]
    other: bool  # whether its weights are others than those of the newest part


def page(run: str, out: str | None = None) -> None:
    """Write one page of all that the latent tools have found of a run: their pictures, films and numbers in one file.

    It reads their folders in the run directory, each called after its tool, and asks nobody for anything when it is
    looked at. A page that it has written is written anew.

    Args:
        run: the run directory, such as runs/stylegan_lite, or the .safetensors file of an averaged generator
        out: the file; by default latent.html in the run directory

    Raises:
        UserError: nothing was found yet, or the file is somebody else's.
    """
    reachable(run)
    folders = sorted(each.parent for each in beside(run).glob(f"{PREFIX}*/{NUMBERS}"))
    if not folders:
        raise UserError(
            f"{run} has no folder of a latent tool: run one first, such as python -m ganlit latent directions."
        )
    path = Path(out) if out is not None else beside(run) / "latent.html"
    if not own(path):
        new(path, "--out")
    make_room(path.parent, path, "--out")
    told = {folder: numbers_of(folder) for folder in folders}
    newest = max(folders, key=lambda folder: (folder / NUMBERS).stat().st_mtime)
    weights = str(told[newest].get("weights", ""))
    parts = [part_of(folder, told[folder], weights) for folder in folders]
    text = rendered(TEMPLATE, title=printable(Path(run).name or run), parts=parts)
    with writing("--out", path), replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
    say(f"{len(parts)} latent tools on {path}: {', '.join(part.name for part in parts)}")


def own(path: Path) -> bool:
    """Whether a file is a page that this command has written."""
    try:
        with path.open(encoding="utf-8") as file:
            return 'content="ganlit latent page"' in file.read(400)
    except (OSError, ValueError):
        return False


def numbers_of(folder: Path) -> dict[str, Any]:
    """The content of numbers.json.

    Raises:
        UserError: it is damaged.
    """
    try:
        found = json.loads((folder / NUMBERS).read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
        reason = "it holds no names"
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
    raise UserError(
        f"{folder / NUMBERS} cannot be read ({printable(reason)}): remove {folder}, and run its command again."
    )


def part_of(folder: Path, told: Mapping[str, Any], weights: str) -> Part:
    """What is in the folder of a tool."""
    name = folder.name.removeprefix(PREFIX)
    media, left_out = list[Shown](), list[str]()
    files = [file for file in sorted(folder.iterdir()) if file.is_file()]
    films = [file for file in files if kind_of(file) == "video"]
    chosen = films[:1] if any(file.suffix == ".gif" for file in films[:1]) else films[-1:]  # GIF and MP4 are one film
    for file in (*chosen, *(file for file in files if kind_of(file) == "image")):
        if (found := embedded(file)) is None:
            left_out.append(printable(file.name))
        else:
            media.append(Shown(printable(file.stem), found))
    tables = [sheet for file in files if file.suffix == ".csv" for sheet in [sheet_of(file)] if sheet is not None]
    skipped = ("run", "weights")
    numbers = [(name, value) for name, value in flat(told) if name not in skipped]
    other = str(told.get("weights", "")) != weights
    title = f"{name.capitalize()} in {told['space']}" if "space" in told else name.capitalize()
    return Part(printable(name), printable(title), purpose_of(name), media, numbers, tables, left_out, other)


def purpose_of(tool: str) -> str:
    """What a tool does, by its own words; nothing where it is no tool of the house."""
    try:
        return (getdoc(resolve_name(f"ganlit.studies.latent.{tool}:{tool}")) or "").split("\n\n")[0].replace("\n", " ")
    except (ImportError, AttributeError, ValueError):
        return ""


def flat(told: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Names with their values, as people read them; what is a table or a long list stands in a file of its own."""
    for key, value in told.items():
        name = f"{above}{key}".replace("_", " ") if "/" not in key else key
        if isinstance(value, Mapping):
            yield from flat(value, f"{above}{key}: ")
        elif isinstance(value, list):
            if len(value) <= LONGEST and not any(isinstance(each, list | Mapping) for each in value):
                yield printable(name), ", ".join(map(figure, value))
        else:
            yield printable(name), figure(value)


def figure(value: Any) -> str:
    """A number in four digits; anything else as it is."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:.4g}" if isinstance(value, float) else printable(str(value))


def sheet_of(file: Path) -> Sheet | None:
    """A table; None of what is none."""
    try:
        heads, *rows = csv.reader(io.StringIO(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, csv.Error):
        return None
    cells = [[cell_of(cell) for cell in row] for row in rows[:ROWS]]
    return Sheet(
        printable(file.stem), [printable(head.replace("_", " ")) for head in heads], cells, len(rows) - len(cells)
    )


def cell_of(cell: str) -> str:
    try:
        return figure(float(cell)) if "." in cell or "e" in cell else printable(cell)
    except ValueError:
        return printable(cell)
