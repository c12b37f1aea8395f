"""The door: runs a command, and gives back its exit code."""

from __future__ import annotations

import logging
import sys
import warnings
from collections import deque
from pathlib import Path

import ganlit
from ganlit.cli import tools
from ganlit.compute import signals, slurm
from ganlit.compute.console import lasting, rank_zero_only, say
from ganlit.configuration.refusals import sentence
from ganlit.errors import Stopped, UserError, printable
from ganlit.records.trust import trust


def quieten() -> None:
    """Leaves only what a user can act on of what Lightning says."""
    ours = Path(ganlit.__file__).parent
    logging.getLogger("lightning.pytorch.utilities.rank_zero").addFilter(
        lambda record: ours in Path(record.pathname).parents
    )
    logging.getLogger("lightning.fabric.utilities.distributed").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*all_gather.* is deprecated.*")  # which Lightning calls
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # of torch, met inside Lightning
    warnings.filterwarnings("ignore", message=".*callbacks used to create the checkpoint.*")  # to measure needs fewer


def main(args: list[str] | None = None) -> int:
    """Runs a command; the exit code is 2 for an error that is the user's to mend, told in one line."""
    quieten()
    with lasting():
        try:
            command(trusting(sys.argv[1:] if args is None else args))
        except Stopped as stopped:
            return left(stopped.signal)
        except Exception as error:
            print(f"error: {printable(sentence(error))}", file=sys.stderr)
            return 2
        except SystemExit as end:
            return int(end.code or 0)
    return 0


def command(args: list[str]) -> None:
    """Runs a command, for which there is what it needs, and nothing that another one needs."""
    if not tools.configured(args):
        tools.call(args)
        return
    from ganlit.cli.commands import GanlitCLI

    GanlitCLI(args)


def trusting(args: list[str]) -> list[str]:
    """The words without `--trust MODULE,...`, which may stand anywhere and counts from here on."""
    rest, words = [], deque(args)
    while words:
        word = words.popleft()
        option, _, value = word.partition("=")
        if option != "--trust":
            rest.append(word)
        elif value or words:
            trust((value or words.popleft()).split(","))
        else:
            raise UserError("--trust needs the name of a module of yours, such as my.package.")
    return rest


def left(number: int) -> int:
    """The exit code of a run that a signal has stopped; one that SLURM asked to make room is queued again first."""
    if rank_zero_only.rank:  # with another code, a launched process would be taken for a failure
        return 0
    if number != signals.ENDING:
        return 128 + number
    if (job := slurm.job()) is None:
        return slurm.REQUEUE
    try:
        slurm.requeue(job)
    except UserError as error:
        why = str(error).partition(": run this")[0]
        say(f"job {job} cannot queue itself again ({why}); exit code {slurm.REQUEUE} asks for it")
        return slurm.REQUEUE
    say(f"job {job} is queued again")
    return 0
