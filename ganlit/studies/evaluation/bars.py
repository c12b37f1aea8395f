"""What is seen of items on their way through extractors, outside of a training."""

from __future__ import annotations

from collections.abc import Callable

import rich
import torch
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from ganlit.errors import UserError
from ganlit.metrics.portrait import Advance


class Rate(ProgressColumn):
    """Items a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.2g}/s")


class Bars(Progress):
    """A bar on a terminal for everything that takes its time, with items a second and the time left."""

    def __init__(self) -> None:
        console = rich.get_console()
        title = TextColumn("{task.description}", markup=False)  # names may have brackets
        columns = title, BarColumn(), TextColumn("{task.completed:,.0f}/{task.total:,.0f}", markup=False)
        options = {"console": console, "transient": True, "disable": not console.is_terminal}
        super().__init__(*columns, Rate(), TimeRemainingColumn(), **options)

    def stop(self) -> None:
        """Without a terminal there is nothing to end; rich would print an empty line."""
        if not self.disable:
            super().stop()

    def counted(self, title: str, total: int) -> Callable[[float], None]:
        """What is told of items just seen, or of parts of them; the bar comes with the first of them."""
        task = None

        def advance(count: float) -> None:
            nonlocal task
            if task is None:
                task = self.add_task(title, total=total)
            self.advance(task, count)

        return advance

    def replacing_lines(self, title: str, total: int) -> Advance | None:
        """The same, or None where there is no terminal, and lines now and then have to do."""
        return None if self.disable else self.counted(title, total)


def device_of(word: str) -> torch.device:
    """The device of a name; "auto" is a GPU where there is one.

    Raises:
        UserError: there is none of that name.
    """
    if word == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        number = torch.zeros(1, device=word)
        number.item()  # which meta refuses
        return number.device
    except (RuntimeError, AssertionError) as error:  # the latter of a torch without CUDA
        reason = " ".join(str(error).split("\n")[0].split())
        raise UserError(f"--device {word} cannot be used ({reason}): name cpu or cuda, or leave it out.") from None
