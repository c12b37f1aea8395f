"""What has been found, in table.json and table.md: both are written after every row, and so outlive a kill."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ganlit.records.durable import replacing

State = Literal["passed", "failed", "skipped", "measured", "not run"]

SMOKE = "**A rehearsal, not a measurement:** small networks and a few steps, to see that every part of the kit works."


class Row(NamedTuple):
    """One thing that was tried, or that there was no time for."""

    part: str  # of the kit: "checks", "speed", ...
    name: str
    state: State
    found: Mapping[str, Any] = {}  # by name with its unit
    why: str = ""  # it failed, was skipped or not run


class Table:
    """The rows in their order.

    Args:
        folder: where the files come to lie.
        machine: what they were found on.
        smoke: whether it is a rehearsal.
    """

    def __init__(self, folder: Path, machine: Mapping[str, str], smoke: bool) -> None:
        self.folder = folder
        self.machine = machine
        self.smoke = smoke
        self.rows: list[Row] = []
        self.began = time.monotonic()
        self.seconds: list[float] = []  # at which each row was there

    def add(self, row: Row) -> None:
        """Keeps a row, tells of it, and writes both files anew."""
        self.rows.append(row)
        self.seconds.append(round(time.monotonic() - self.began, 1))
        print(" ".join([f"{row.part}: {row.name}: {row.state}", *pairs(row.found), row.why]).rstrip(), flush=True)
        rows = [each._asdict() | {"at": at} for each, at in zip(self.rows, self.seconds, strict=True)]
        content = {"smoke": self.smoke, "machine": self.machine, "rows": rows}
        for name, text in {"table.json": json.dumps(content, indent=1), "table.md": self.markdown()}.items():
            with replacing(self.folder / name, flush=False) as partial:
                partial.write_text(text + "\n")

    def found(self, part: str, name: str) -> Mapping[str, Any]:
        """What a row holds; nothing where there is none, or nothing was found."""
        return next((row.found for row in self.rows if (row.part, row.name) == (part, name)), {})

    def markdown(self) -> str:
        """The machine, then one table for each part."""
        parts = list(dict.fromkeys(row.part for row in self.rows))
        head = grid(["", ""], [[name, value] for name, value in self.machine.items()])
        return "\n\n".join([*([SMOKE] if self.smoke else []), head, *(self._section(part) for part in parts)])

    def _section(self, part: str) -> str:
        rows = [row for row in self.rows if row.part == part]
        columns = list(dict.fromkeys(name for row in rows for name in row.found))
        count = f"{sum(row.state in ('passed', 'measured') for row in rows)} of {len(rows)}"
        lines = [[row.name, row.state, *(shown(row.found.get(name)) for name in columns), row.why] for row in rows]
        return f"## {part}: {count}\n\n" + grid([part, "", *columns, ""], lines)


def pairs(found: Mapping[str, Any]) -> list[str]:
    return [f"{name} {shown(value)}" for name, value in found.items() if value is not None]


def shown(value: Any) -> str:
    """A value in few characters; a dash for one that could not be had."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


def grid(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *([" ".join(cell.split()).replace("|", "/") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
