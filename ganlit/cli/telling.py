"""What is said of a run where it begins, stops or ends."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from lightning.pytorch import Callback
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from rich.table import Table
from torch.optim import Optimizer

from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.compute.console import clock, print_table, say
from ganlit.configuration.inheritance import Inherited, Share
from ganlit.errors import Stopped, UserError, reason
from ganlit.metrics.protocol import shown, title
from ganlit.records.runs import trained
from ganlit.records.state import Phase
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS


def begins(folder: Path, module: AdversarialModule, kimg: float) -> None:
    """Who plays, for how long, and where it is written down."""
    players = [getattr(module, player) for player in PLAYERS]
    sizes = [f"{type(net).__name__} {sum(p.numel() for p in net.parameters()) / 1e6:.2f} M" for net in players]
    say(f"{folder.name}: {' against '.join(reversed(sizes))} parameters, {kimg:g} kimg")
    say(f"run      {folder}: config.yaml, metrics.csv, checkpoints/, samples/; at the end overview.png")


@rank_zero_only
def inherits(inherited: Inherited) -> None:
    """What was taken over from an earlier run, and what of it learns."""
    for line in inherited.lines:
        say(line)
    if inherited.shares:
        table = Table("parameters", *Share._fields)
        for column in table.columns[1:]:
            column.justify = "right"
        for player, share in inherited.shares.items():
            table.add_row(player, *(f"{count:,}" for count in share))
        print_table(table)


@contextmanager
def stops(folder: Path, module: AdversarialModule) -> Iterator[None]:
    """Says where a run was stopped, if that happens while the block lasts."""
    try:
        yield
    except (Stopped, SystemExit) as end:  # Lightning's answer to Ctrl-C before the first step is an exit
        at = f"at {module.kimg:.1f} kimg; go on with --resume" if trained(folder) else "before the first step"
        say(f"stopped {at}")
        raise Stopped(end.signal if isinstance(end, Stopped) else signal.SIGINT) from None


@contextmanager
def blamed() -> Iterator[None]:
    """Says which part of a library cannot be used in a training of two players.

    Raises:
        UserError: an optimizer, a callback or a logger that is not ganlit's has failed.
    """
    try:
        yield
    except (UserError, Stopped):
        raise
    except Exception as error:
        holders = (frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__))
        parts = [each for each in holders if isinstance(each, Optimizer | Callback | Logger)]
        foreign = [type(each).__name__ for each in parts if not type(each).__module__.startswith("ganlit.")]
        if not foreign:
            raise
        raise UserError(
            f"{foreign[-1]} fails in a training of two players ({reason(error)}): mend its settings, or leave it out."
        ) from error


def ends(folder: Path, kept: Checkpoints, seconds: float, phase: Phase = "done") -> None:
    """How long it took, and what there is to look at."""
    checkpoints = folder / "checkpoints"
    say(f"{phase} in {clock(seconds)}: {checkpoints / 'last.ckpt'}")
    if kept.best is not None and kept.best_name is not None and (checkpoints / "best.ckpt").exists():
        score, own = shown((kept.best_name, kept.best)), title(kept.best_name)
        say(
            f"best     {checkpoints / 'best.ckpt'}: {score} at {kept.best_kimg:.1f} kimg, the best of the validations; "
            f"compare it with {own} alone"
        )
    say(f"pictures {folder / 'overview.png'}, {folder / 'samples'}")


def measures(results: Sequence[Mapping[str, float]]) -> None:
    """Every measure with its protocol."""
    for name, value in results[0].items():
        if name != "kimg":
            say(f"{value:10.3f}  {name}")
