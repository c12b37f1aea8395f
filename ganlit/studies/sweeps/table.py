"""The trials of a sweep as a table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import rich
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ganlit.compute.console import say
from ganlit.errors import UserError, printable
from ganlit.records.numbers import Damaged
from ganlit.records.state import State
from ganlit.studies.sweeps.definition import Sweep
from ganlit.studies.sweeps.measures import measure
from ganlit.studies.sweeps.phases import PHASES, Status
from ganlit.studies.sweeps.trials import brief, short

WIDE = 250  # columns of what is no terminal


def show(sweep: Sweep, trials: Sequence[Status]) -> None:
    """Prints a table with a line for each trial, and how many there are in each phase."""
    keys = varying(trials)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("trial", *short(keys).values(), "phase"):
        table.add_column(_cell(title), no_wrap=True)
    scores, unclear, damaged = _scores(sweep, trials)
    for title in ("kimg", *(("best", "last") if scores else ()), "starts"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("job", no_wrap=True)
    table.add_column("reason", no_wrap=True, max_width=90)
    for one in trials:
        known = one.state
        table.add_row(
            f"{one.number:04}",
            *(_cell(brief(one.values[key])) if key in one.values else "" for key in keys),
            Text(one.phase, PHASES[one.phase]),
            f"{known.kimg:.1f}/{known.length:g}" if known else "",
            *(scores.get(one.number, ("", "")) if scores else ()),
            str(known.starts) if known else "",
            _cell(one.job or ""),
            _cell(one.reason or alarms(known)),
        )
    console = rich.get_console() if rich.get_console().is_terminal else Console(width=WIDE)
    console.print(table)
    for text in [*(text for one in trials for text in one.damage), *damaged, *unclear]:
        say(text)
    counts = Counter(one.phase for one in trials)
    say(f"{len(trials)} in all: {', '.join(f'{counts[phase]} {phase}' for phase in PHASES if counts[phase])}")


def _cell(text: str) -> Text:
    """As it is: brackets are no markup, and what a terminal would obey is spelled out, as in "\\x1b"."""
    return Text(printable(text))


def alarms(known: State | None) -> str:
    """What is wrong with what the generator of a run makes, if anything is."""
    return f"alarm: {', '.join(known.alarms)}" if known and known.alarms else ""


def varying(trials: Sequence[Status]) -> list[str]:
    """The parameters that differ between trials."""
    keys = dict.fromkeys(key for one in trials for key in one.values)
    chosen = [one.values for one in trials if one.values]
    return [key for key in keys if len({json.dumps(values.get(key)) for values in chosen}) > 1]


def _scores(sweep: Sweep, trials: Sequence[Status]) -> tuple[dict[int, tuple[str, str]], list[str], list[str]]:
    """Best and last value of the sweep's metric by trial, what is unclear about it, said once, and what is damaged."""
    found: dict[int, tuple[str, str]] = {}
    unclear: dict[str, None] = {}
    damaged: list[str] = []
    for one in trials if sweep.metric is not None else ():
        try:
            if one.state is not None and (measured := measure(sweep.run(one.number), sweep.metric)):
                found[one.number] = f"{measured.best:.4g}", f"{measured.last:.4g}"
        except Damaged as error:
            damaged.append(str(error))
        except UserError as error:
            if one.phase == "done":  # one that is running may have it later
                unclear.setdefault(str(error))
    return found, [*unclear][:1], damaged
