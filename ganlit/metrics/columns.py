"""The columns of a metrics.csv, and what they may be called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ganlit.errors import UserError, nearest
from ganlit.metrics.protocol import called, making_of, meant, metric_of

IDS = re.compile(r"[a-z-]*[a-z]\d.*/.*@.*")
"""Protocol ids among columns."""


def choose(name: str, columns: list[str], source: Path) -> str:
    """The one column that is meant by a name.

    Args:
        name: a whole column, or the beginning of a protocol id: "fid", "fid2k", "fid2k/inception-2015-12-05@642bf592";
            "rfid" of reconstructions, "fid:prior" of items from a prior.
        columns: that there are.
        source: the file, for a refusal.
    """
    if name in columns:
        return name
    measures = [column for column in columns if IDS.fullmatch(column)]
    found = [column for column in measures if meant(name, column)]
    if len(found) == 1:
        return found[0]
    if found:
        ways = dict.fromkeys(next((each for each in callings(one) if alone(each, measures)), one) for one in found)
        raise UserError(f"metric {name} may be any of {', '.join(found)} in {source}: write {' or '.join(ways)}.")
    short = [calling for column in measures for calling in callings(column) if alone(calling, measures)]
    there = f"name one of {', '.join(measures or columns)}"
    raise UserError(f"metric {name} is not in {source}: {there}{nearest(name, [*short, *columns]) or '.'}")


def alone(name: str, columns: Sequence[str]) -> bool:
    """Whether one column is meant, and no other."""
    return sum(meant(name, column) for column in columns) == 1


def callings(column: str) -> list[str]:
    """How a protocol id may be called, the shortest first."""
    short, making = called(column).lower(), making_of(column)
    head = short + column.split("/")[0].removeprefix(metric_of(column))
    return [f"{each}{end}" for each in (short, head) for end in ["", f":{making}"][: 1 + bool(making)]]
