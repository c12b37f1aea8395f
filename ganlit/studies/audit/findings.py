"""What an audit has found, told in a table."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from rich.markup import escape
from rich.table import Table
from torch import nn

from ganlit.compute.console import fold_last
from ganlit.errors import UserError, reason
from ganlit.records.durable import replacing

NARROW = 40  # of what was seen: where the screen folds it, the other columns give way first
SHOWN = 3  # modules that are named, of many

Status = Literal["ok", "fails", "does not apply"]
COLOURS: dict[Status, str] = {"ok": "green", "fails": "red", "does not apply": "dim"}


class Finding(NamedTuple):
    """The answer to one check."""

    check: str
    status: Status
    seen: str
    remedy: str = ""  # of a failure: its cause and what to do, in a sentence


def table(findings: Sequence[Finding]) -> Table:
    """A row for each check."""
    drawn = Table("check", "", "what was seen", box=None, pad_edge=False)
    for column in drawn.columns[:2]:
        column.no_wrap = True
    fold_last(drawn, NARROW)
    for each in findings:
        seen = escape(each.seen) + (f"\n{escape(each.remedy)}" if each.remedy else "")
        drawn.add_row(escape(each.check), f"[{COLOURS[each.status]}]{each.status}", seen)
    return drawn


def write(findings: Sequence[Finding], costs: object, path: Path) -> None:
    """Writes {"checks": [{"check", "status", "seen", "remedy"}], "costs": {...} or why there are none}."""
    document = {"checks": [each._asdict() for each in findings], "costs": costs}
    with replacing(path) as partial:
        partial.write_text(json.dumps(document, indent=2) + "\n")


def told(error: Exception) -> str:
    """What went wrong, as the house tells it."""
    return str(error).rstrip(".") if isinstance(error, UserError) else reason(error)


def grouped(names: Collection[str]) -> str:
    """Some parameters or buffers by the module that holds them: "layers.0 (weight, bias), logit (bias) and 3 more"."""
    groups: dict[str, list[str]] = {}
    for name in names:
        module, _, own = name.rpartition(".")
        groups.setdefault(module, []).append(own)
    shown = [f"{module} ({', '.join(own)})" if module else ", ".join(own) for module, own in groups.items()]
    left = sum(len(own) for own in list(groups.values())[SHOWN:])
    return ", ".join(shown[:SHOWN]) + (f" and {left} more" if left else "")


def kind_of(name: str, module: nn.Module) -> str:
    """A module by its place and its class: "layers.1 (ReLU)"."""
    return f"{name} ({type(module).__name__})"
