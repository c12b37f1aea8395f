"""The command that turns many runs into a table, curves and a page."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

from ganlit.compute.console import print_wide, say
from ganlit.errors import UserError, printable
from ganlit.records.media import PICTURE, drawn
from ganlit.studies.report.page import page
from ganlit.studies.report.plots import curves, importance, worth_asking
from ganlit.studies.report.record import gather
from ganlit.studies.report.summary import summary
from ganlit.studies.report.tables import markdown as to_markdown
from ganlit.studies.report.tables import spreadsheet, terminal
from ganlit.studies.report.written import WHO, write


def report(folder: Path, metric: str | None = None, sort: str | None = None, since: str | None = None) -> None:
    """Compare runs: a table, curves with seed bands and a page with their samples.

    Runs that differ only in their seed are one setting. It reads their own files, also while they are running, and
    writes FOLDER/results.csv, and report.md, report.html and pictures in FOLDER/report. One of these that somebody has
    changed is never written over.

    Args:
        folder: a sweep's, such as experiments/0004-r1-gamma, or any that holds run directories, such as runs.
        metric: such as fid, rfid, fid:prior, fid2k, a whole protocol id, or several with commas between them, of which
            the first ranks; FID by default, and what compares pairs or tells of the inside of a generator.
        sort: a column, such as last, kimg, hours or a parameter; the best first by default.
        since: leaves out runs that have not moved since a date, 2026-11-20, or for so long, 7d or 12h.
    """
    damage: list[str] = []

    def tell(text: str) -> None:
        damage.append(printable(text))
        say(damage[-1])

    runs = gather(folder, moment(since) if since else None, tell)
    found = summary(folder, runs, metric, sort)._replace(damage=tuple(damage))
    figures = {"curves": curves(found), "importance": importance(found) if worth_asking(found) else None}
    pictures = {name: drawn(figure, 130, Software=WHO) for name, figure in figures.items() if figure is not None}
    contents = {place_of(name): picture for name, picture in pictures.items()}
    contents["results.csv"] = spreadsheet(found).encode(errors="backslashreplace")  # of a file's name that is no text
    contents["report/report.md"] = to_markdown(found).encode()
    contents["report/report.html"] = page(found, pictures).encode()
    stale = [name for name in map(place_of, set(figures) - set(pictures)) if (folder / name).is_file()]
    write(folder, contents, stale)
    print_wide(terminal(found))
    say("")
    for line in [*found.notes(), *(f"{title}: {note}" for title, note in found.legend()), *found.reasons()]:
        say(line)
    say(f"written  {', '.join(str(folder / name) for name in sorted(contents))}")


def moment(since: str, now: datetime | None = None) -> datetime:
    """The time that a date or a duration means.

    Raises:
        UserError: it is neither.
    """
    if span := re.fullmatch(r"(\d+)([dh])", since):
        try:
            hours = int(span[1]) * (24 if span[2] == "d" else 1)
            return (now or datetime.now().astimezone()) - timedelta(hours=hours)
        except (OverflowError, ValueError):  # before there was time
            return datetime.fromtimestamp(0).astimezone()
    try:
        return datetime.fromisoformat(since).astimezone()
    except (ValueError, OverflowError):
        raise UserError(f"--since {since} is no time: give a date such as 2026-11-20, or a span such as 7d.") from None


def place_of(picture: str) -> str:
    """The file of a picture, inside the folder that is reported."""
    return f"report/{picture}{PICTURE}"
