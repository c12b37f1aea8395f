"""What a command says while it works, in one place and on one rank."""

from __future__ import annotations

import rich
from lightning.pytorch.utilities import rank_zero_only
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

WIDEST = 500  # characters in a line that nobody's screen folds


@rank_zero_only
def say(text: str) -> None:
    """Prints a line, above the bar where there is one; long lines and brackets stay as they are."""
    rich.get_console().print(text, markup=False, highlight=False, soft_wrap=True)


def clock(seconds: float) -> str:
    """75 seconds are "1:15", 4000 are "1:06:40"."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def print_table(table: Table) -> None:
    """Prints a table: folded to a terminal, in full lines elsewhere."""
    console = rich.get_console()
    if not console.is_terminal:
        console = Console(width=WIDEST)
    console.print(table, highlight=False)


def print_wide(table: Table) -> None:
    """Prints a table in full lines also where it is wider than the screen: nothing is lost."""
    console = rich.get_console()
    table.width = Measurement.get(console, console.options.update(width=2 * WIDEST), table).maximum
    console.print(table, crop=False)


def fold_last(table: Table, least: int) -> None:
    """Where the screen is narrow, the last column is folded, but to no fewer characters than these."""
    table.columns[-1].overflow = "fold"
    table.columns[-1].min_width = least
