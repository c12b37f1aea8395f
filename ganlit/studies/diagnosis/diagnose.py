"""The command that reads how a run went, and says what to try."""

from __future__ import annotations

from pathlib import Path

import yaml
from rich.table import Table as Page

from ganlit.compute.console import fold_last, print_table, say
from ganlit.errors import UserError, printable
from ganlit.metrics.detector import ILLNESSES, Event, replay, score_of
from ganlit.metrics.protocol import title
from ganlit.metrics.signals import SIGNALS
from ganlit.metrics.trend import best_of
from ganlit.records.durable import replacing
from ganlit.records.media import drawn
from ganlit.studies.diagnosis.plots import curves
from ganlit.studies.diagnosis.remedies import Remedy, remedy
from ganlit.studies.diagnosis.table import Table, notes, read
from ganlit.studies.report.record import Run, directories, gather

WHO = "ganlit diagnose"
FOLDER = "diagnosis"
"""In the run directory."""


def diagnose(run: Path) -> None:
    """Say how a run went or is going: what happened when, which alarms, which curves, and what to try first.

    It reads the run's own files, also while it is running, and writes RUN/diagnosis/curves.png and, where something
    can be tried, an overlay of its configuration. An overlay that is there is never written over.

    Args:
        run: its directory, such as runs/dcgan.
    """
    one = _one(run)
    table = read(run / "metrics.csv")
    events = replay(table.rows)
    for line in standing(one, table):
        say(line)
    for page in (happened(run, events), told(table)):
        if page.row_count:
            print_table(page)
    written = []
    if (figure := curves(one.config["name"], table, events)) is not None:
        written.append(_picture(run / FOLDER / "curves.png", drawn(figure, 110, Software=WHO)))
    ill = list(dict.fromkeys(event.name for event in events if event.alarm is not None))
    tried = {name: found for name in ill if (found := remedy(name, one.config)) is not None}
    for name, found in tried.items():
        path = _overlay(run / FOLDER / f"{name}.yaml", found)
        written.append(path)
        say(f"try      against {name}: {found.why}")
        say(f"         python -m ganlit fit --config {run / 'config.yaml'} --config {path}")
    for name in ill:
        if name not in tried:
            say(f"try      against {name}: {ILLNESSES[name].change}")
    if table.rows and not ill:
        say("nothing of its signals or its score rings an alarm: there is nothing to try against one")
    if written:
        say(f"written  {', '.join(map(str, written))}")


def _one(folder: Path) -> Run:
    """The run in a directory.

    Raises:
        UserError: it is none, or holds several.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: name a run's directory, such as runs/dcgan.")
    if (folder / "config.yaml").is_file():
        return gather(folder)[0]
    if below := next(directories(folder), None):
        raise UserError(f"{folder} is no run directory, but has some in it: name one, such as {below}.")
    raise UserError(f"{folder} is no run directory, for it has no config.yaml: name one, such as runs/dcgan.")


def standing(run: Run, table: Table) -> list[str]:
    """Where the run stands, and what cannot be told of it."""
    kimg = run.state.kimg if run.state else 0.0
    reason = f": {run.state.reason}" if run.state and run.state.reason else ""
    found = [printable(f"{run.config['name']}: {run.phase} at {kimg:g} of {run.config['kimg']:g} kimg{reason}")]
    if (scored := score_of(table.rows)) is not None:
        name, points = scored
        at, best = points[best_of(name, [value for _, value in points])]
        found.append(
            f"{title(name)}: {points[-1][1]:.4g} at {points[-1][0]:g} kimg, the best {best:.4g} at {at:g} kimg"
        )
    if not table.rows:
        found.append("it has no validation behind it, so that nothing can be told of its signals or its score")
    elif not table.signals:
        found.append("it has no signals, as of a run of before they were logged: its score alone is looked at")
    return found


def happened(folder: Path, events: list[Event]) -> Page:
    """The alarms by its table, and what its callbacks have told."""
    page = Page("kimg", "alarm", "what is seen, since when, why, and what may be changed", title="What happened")
    for event in events:
        page.add_row(f"{event.kimg:.1f}", event.name, "is over" if event.alarm is None else printable(str(event.alarm)))
    seen = {(event.name, f"{event.kimg:.1f}"): f"{event.alarm}; " for event in events}
    for line in notes(folder):
        name, _, rest = line.partition(" at ")
        kimg = rest.partition(" kimg")[0]
        told = seen.get((name.removesuffix(" is over"), kimg))
        if told is None:  # else the table tells it
            page.add_row("", "", printable(line))
        elif reaction := line.partition(told)[2]:
            page.add_row("", "", printable(f"reaction at {kimg} kimg: {reaction}"))
    fold_last(page, 40)
    return page


def told(table: Table) -> Page:
    """What each signal was at first, in the middle and last, and what it says."""
    page = Page("signal", "first", "middle", "last", "what it says", title="Signals")
    for signal in table.signals:
        values = [value for _, value in table.curve(signal)]
        places = (values[0], values[len(values) // 2], values[-1])
        page.add_row(signal, *(f"{value:.3g}" for value in places), SIGNALS.get(signal, ""))
    fold_last(page, 40)
    return page


def _picture(path: Path, content: bytes) -> Path:
    """Writes the curves in place of those of an earlier diagnosis.

    Raises:
        UserError: something else is there.
    """
    if path.exists() and WHO.encode() not in path.read_bytes()[:1000]:
        raise UserError(f"{path} was not written by {WHO}: move it away, then diagnose again.")
    return _written(path, content)


def _overlay(path: Path, found: Remedy) -> Path:
    """Writes what to try under the first name that is free, unless it is there already."""
    text = f"# By {WHO}: {found.why}.\n{yaml.safe_dump(found.overlay, sort_keys=False)}".encode()
    number, place = 1, path
    while place.exists() and place.read_bytes() != text:
        number += 1
        place = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return _written(place, text)


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    with replacing(path, flush=False) as partial:
        partial.write_bytes(content)
    return path
