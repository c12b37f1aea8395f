"""Passes of images through extractors outside of a training, with a bar for each."""

from __future__ import annotations

from pathlib import Path

import rich
import torch
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from ganlit.callbacks.fidelity import Pass
from ganlit.callbacks.progress import say
from ganlit.contracts import Reference
from ganlit.errors import UserError
from ganlit.metrics.backbones import extractor
from ganlit.metrics.inception import Precision
from ganlit.metrics.portrait import Advance
from ganlit.metrics.reality import Reality
from ganlit.metrics.resize import Resize
from ganlit.precision import native_bf16


class Rate(ProgressColumn):
    """Images a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} img/s")


class Bars(Progress):
    """A bar on a terminal for everything that takes its time, with images/s and the time left."""

    def __init__(self) -> None:
        console = rich.get_console()
        columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}/{task.total:,.0f}")
        options = {"console": console, "transient": True, "disable": not console.is_terminal}
        super().__init__(*columns, Rate(), TimeRemainingColumn(), **options)

    def stop(self) -> None:
        """Without a terminal there is nothing to end; rich would print an empty line."""
        if not self.disable:
            super().stop()

    def counted(self, title: str, total: int) -> Advance:
        """What is told of images just seen; the bar comes with the first of them."""
        task = None

        def advance(count: int) -> None:
            nonlocal task
            if task is None:
                task = self.add_task(title, total=total)
            self.advance(task, count)

        return advance


def device_of(word: str) -> torch.device:
    """The device of a name; "auto" is a GPU where there is one.

    Raises:
        UserError: there is none of that name.
    """
    if word == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=word).device
    except (RuntimeError, AssertionError) as error:  # the latter of a torch without CUDA
        reason = " ".join(str(error).split("\n")[0].split())
        raise UserError(f"--device {word} cannot be used ({reason}): name cpu or cuda, or leave it out.") from None


def passes(
    asked: dict[str, list[str]],
    reference: Reference,
    weights: Path | None,
    precision: Precision,
    resize: Resize,
    device: torch.device,
    bars: Bars,
) -> list[Pass]:
    """One for each extractor, by its name, with the metrics that share it.

    Args:
        asked: metrics by the name of their extractor.
        weights: file of the Inception's weights; None looks for them.
    """
    if precision == "bf16" and not native_bf16(device):
        precision = "fp32"
        say("precision: bf16 is not native to this processor, features are in fp32.")
    made = []
    for name, metrics in asked.items():
        seen_by = extractor(name, weights if name == "inception" else None, precision, resize).to(device)
        # Without a terminal the lines of `Reality` tell how far it is.
        advance = None if bars.disable else bars.counted(f"{reference.name} through {name}", len(reference.images))
        made.append(Pass(Reality(reference, seen_by, say, advance), metrics))
    return made
