"""What a command says while it works, in one place and on one rank."""

from __future__ import annotations

import rich
from lightning.pytorch.utilities import rank_zero_only


@rank_zero_only
def say(text: str) -> None:
    """Prints a line, above the bar where there is one; long lines and brackets stay as they are."""
    rich.get_console().print(text, markup=False, highlight=False, soft_wrap=True)


def clock(seconds: float) -> str:
    """75 seconds are "1:15", 4000 are "1:06:40"."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
