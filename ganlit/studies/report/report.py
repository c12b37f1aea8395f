"""The command that turns many runs into a table, curves and a page."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

from ganlit.compute.console import print_wide, say
from ganlit.errors import UserError
from ganlit.records.durable import replacing
from ganlit.records.media import PICTURE, drawn
from ganlit.studies.report.page import page
from ganlit.studies.report.plots import curves, importance, worth_asking
from ganlit.studies.report.record import gather
from ganlit.studies.report.summary import summary
from ganlit.studies.report.tables import markdown as to_markdown
from ganlit.studies.report.tables import spreadsheet, terminal

WHO = "ganlit report"

MARKS = (WHO.encode(), b"run,setting,seed,phase,")
"""One of these is at the start of every file that a report has written."""


def report(folder: Path, metric: str | None = None, sort: str | None = None, since: str | None = None) -> None:
    """Compare runs: a table, curves with seed bands and a page with their samples.

    Runs that differ only in their seed are one setting. It reads their own files, also while they are running, and
    writes FOLDER/results.csv, and report.md, report.html and pictures in FOLDER/report.

    Args:
        folder: a sweep's, such as experiments/0004-r1-gamma, or any that holds run directories, such as runs.
        metric: such as fid, fid2k or a whole protocol id; FID by default.
        sort: a column, such as last, kimg, hours or a parameter; the best first by default.
        since: leaves out runs that have not moved since a date, 2026-11-20, or for so long, 7d or 12h.
    """
    found = summary(folder, gather(folder, moment(since) if since else None), metric, sort)
    figures = {"curves": curves(found), "importance": importance(found) if worth_asking(found) else None}
    pictures = {name: drawn(figure, 130, Software=WHO) for name, figure in figures.items() if figure is not None}
    contents = {place_of(name): picture for name, picture in pictures.items()}
    contents["results.csv"] = spreadsheet(found).encode()
    contents["report/report.md"] = to_markdown(found).encode()
    contents["report/report.html"] = page(found, pictures).encode()
    for name in contents:
        refuse_foreign(folder / name)
    for name, content in contents.items():
        try:
            with replacing(folder / name, flush=False) as partial:
                partial.write_bytes(content)
        except OSError as error:
            raise UserError(
                f"{folder / name} cannot be written ({error.strerror}): mend that, then report again."
            ) from None
    for name in set(figures) - set(pictures):  # of an earlier report, and not of this one
        if (path := folder / place_of(name)).is_file():
            refuse_foreign(path)
            path.unlink()
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
        hours = int(span[1]) * (24 if span[2] == "d" else 1)
        try:
            return (now or datetime.now().astimezone()) - timedelta(hours=hours)
        except OverflowError:
            return datetime.fromtimestamp(0).astimezone()
    try:
        return datetime.fromisoformat(since).astimezone()
    except ValueError:
        raise UserError(f"--since {since} is no time: give a date such as 2026-11-20, or a span such as 7d.") from None


def refuse_foreign(path: Path) -> None:
    """Refuses to replace a file that no report has written.

    Raises:
        UserError: it is one.
    """
    if path.exists() and not any(mark in path.read_bytes()[:1000] for mark in MARKS):
        raise UserError(f"{path} was not written by ganlit report: move it away, then report again.")


def place_of(picture: str) -> str:
    """The file of a picture, inside the folder that is reported."""
    return f"report/{picture}{PICTURE}"
