"""A summary as text: for the terminal, in Markdown, and every run in CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from ganlit.studies.report import escaping
from ganlit.studies.report.escaping import table_cell
from ganlit.studies.report.numbers import best, last
from ganlit.studies.report.record import Run
from ganlit.studies.report.summary import Row, Summary

CSV_HEAD = ("run", "setting", "seed", "phase", "kimg", "length", "seconds", "device_hours")
CSV_MORE = ("device", "processes", "starts", "updated", "reason")


def terminal(found: Summary) -> Table:
    """For a screen, with high narrow heads; numbers stay in one piece."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 1))
    words = {parameter.title for parameter in found.parameters} | {"runs"}
    for title in found.titles():
        head = title.replace(" (", "\u00a0(").replace(" ", "\n").replace(".", ".\n").replace("_", "_\n")
        drawn.add_column(Text(head), justify="left" if title in words else "right", vertical="bottom")
    for row in found.rows:
        drawn.add_row(*map(Text, found.cells(row)))
    return drawn


def markdown(found: Summary) -> str:
    """The table and all that is needed to read it."""
    titles = [table_cell(title) for title in found.titles()]
    body = [[table_cell(cell) for cell in found.cells(row)] for row in found.rows]
    longest = [max(map(len, column)) for column in zip(titles, *body, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, line, longest)) + " |" for line in [titles, *body]]
    lines.insert(1, "|" + "|".join("-" * (length + 2) for length in longest) + "|")
    sections = [["<!-- written by ganlit report -->", f"# {escaping.markdown(found.name)}"], lines]
    sections.append([f"- {escaping.markdown(note)}" for note in found.notes()])
    sections.append([f"- {escaping.markdown(title)}: {escaping.code(note)}" for title, note in found.legend()])
    for title, told in {"What is damaged:": found.damage, "What did not end well:": found.reasons()}.items():
        sections.append([title, "", *(f"- {escaping.markdown(line)}" for line in told)] if told else [])
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def spreadsheet(found: Summary) -> str:
    """CSV with a row for each run, numbers as they were logged, under whole ids.

    Of every id there is the last value, and of the curves that are compared the best one and its kimg.
    """
    rows = [_record(found, row, run) for row in sorted(found.rows) for run in row.setting.runs]
    columns = [*CSV_HEAD, *(parameter.title for parameter in found.parameters), *CSV_MORE]
    columns += [name for name in dict.fromkeys(key for row in rows for key in row) if name not in columns]
    return "".join(map(spreadsheet_row, [columns, *([row.get(name, "") for name in columns] for row in rows)]))


def spreadsheet_row(values: Iterable[Any]) -> str:
    """A line of CSV, or several, where a text has them."""
    text = io.StringIO()
    csv.writer(text).writerow(map(escaping.cell, values))
    return text.getvalue().removesuffix("\r\n") + "\n"


def read_spreadsheet(text: str) -> list[dict[str, str]]:
    """The rows of what `spreadsheet` has written, numbers and texts as they were."""
    header, *rows = [[*map(escaping.value, row)] for row in csv.reader(io.StringIO(text, newline=""))]
    return [dict(zip(header, row, strict=True)) for row in rows]


def _record(found: Summary, row: Row, run: Run) -> dict[str, Any]:
    record: dict[str, Any] = {"run": str(run.folder), "setting": row.number, "seed": run.seed, "phase": run.phase}
    record |= {parameter.title: value for parameter, value in zip(found.parameters, row.values, strict=True)}
    if state := run.state:
        names = ("kimg", "length", "seconds", "device", "processes", "starts", "updated", "reason")
        record |= {name: getattr(state, name) for name in names} | {"device_hours": round(state.device_hours, 5)}
    for name in found.measures.curves:
        if name in run.curves:
            kimg, value = best(name, run.curves[name])
            record |= {f"best {name}": value, f"kimg of best {name}": kimg}
    return record | {name: last(curve) for name, curve in run.curves.items()}
