"""The command that turns many runs into a table, curves and a page."""

from __future__ import annotations

from pathlib import Path

from ganlit.errors import UserError


def report(folder: Path) -> None:
    """Compare runs: a table, curves with seed bands and a page with their samples.

    Args:
        folder: a sweep's, such as experiments/0004-r1-gamma, or any that holds run directories, such as runs.
    """
    raise UserError("report is not built yet.")
