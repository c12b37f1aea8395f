"""What a run is made of beside its module and its data: its directory, its record, loggers, callbacks, Trainer."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
import yaml
from jsonargparse import Namespace
from lightning.pytorch import Callback
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from ganlit.callbacks.alarms import Alarms
from ganlit.callbacks.balance import Balance
from ganlit.callbacks.budget import Budget
from ganlit.callbacks.checkpoint import Checkpoints, DurableIO
from ganlit.callbacks.early_termination import EarlyTermination
from ganlit.callbacks.fidelity import Fidelity
from ganlit.callbacks.interrupt import Interrupt
from ganlit.callbacks.loggers.chosen import ended, loggers
from ganlit.callbacks.overview import Overview
from ganlit.callbacks.profile import Profile
from ganlit.callbacks.progress import Progress
from ganlit.callbacks.record import Record
from ganlit.callbacks.recovery import Recovery
from ganlit.callbacks.samples import Samples
from ganlit.callbacks.signals import Signals
from ganlit.cli.lab import Lab, Unprofiled
from ganlit.compute import slurm
from ganlit.compute.console import say
from ganlit.compute.machine import affordable, below_srun, most, processes, ranks, slurms
from ganlit.compute.strategy import AdversarialDDP
from ganlit.errors import Stopped, UserError, within
from ganlit.metrics.pruning import EarlyTerminate
from ganlit.records.resume import Resume, compare
from ganlit.records.runs import claim, last_checkpoint, locked, trained
from ganlit.records.state import Recorder, ending, read, recorded


class Run:
    """The run of a `fit`: nobody else's directory while it lasts.

    Args:
        folder: the run directory.
        settings: of the command; where it goes on from is found and noted there.
        dump: of the settings, the resolved configuration, as config.yaml will hold it.
        holding: what is held until the command ends.

    Raises:
        UserError: the directory is in use, or holds a run that is not to be gone on with under these settings.
        SystemExit: the run is done.
    """

    def __init__(self, folder: Path, settings: Namespace, dump: Callable[[], str], holding: ExitStack) -> None:
        self.folder = folder
        self.holding = holding
        first = rank_zero_only.rank == 0
        if first:
            holding.enter_context(locked(folder, slurm.PATIENCE if slurm.restarted() else 0))
        unjudge(folder, settings)
        self.config = dump()
        resume(folder, settings, self.config)
        if first:
            claim(folder, settings.ckpt_path)
        self.recorder = Recorder(folder, settings.kimg, slurm.job(), first)
        holding.enter_context(recorded(self.recorder))

    def callbacks(
        self,
        kimg: float,
        fidelity: Fidelity | None,
        recovery: Recovery,
        rule: EarlyTerminate | None,
        bar: bool | None,
    ) -> list[Callback]:
        """In the order in which Lightning calls them: pictures come before slow measures."""
        self.checkpoints = Checkpoints(self.config, fidelity)
        profile = Profile()
        return [
            Budget(kimg),
            recovery,
            Interrupt(self.checkpoints, lambda number: self.recorder.update(**ending(Stopped(number)))),
            Samples(),
            *([] if fidelity is None else [fidelity]),
            Signals(),
            Alarms(),
            *([] if rule is None else [EarlyTermination(rule)]),
            self.checkpoints,
            Balance(fidelity),
            profile,
            Record(self.recorder),
            *([] if bar is False else [Progress(kimg, profile, fidelity)]),
            Overview(fidelity),
        ]

    def loggers(self, options: Any, given: Any) -> list[Logger]:
        """Those of a run, which end with it, however it ends."""
        return self.holding.enter_context(ended(loggers(self.folder, yaml.safe_load(self.config), options, given)))


def unjudge(folder: Path, settings: Namespace) -> None:
    """Ends a trial no more that was stopped early once and let go on, though its frozen file knows nothing of that."""
    known = read(folder)
    if settings.early_terminate and known is not None and known.spared and trained(folder):
        say(f"{folder} was stopped early once and let go on: it goes to its end")
        settings.early_terminate = None


def resume(folder: Path, settings: Namespace, config: str) -> None:
    """Finds the checkpoint to go on from, and compares the settings with those it was made under."""
    asked = settings.resume
    if asked or settings.ckpt_path == "last":
        found = trained(folder)
        settings.ckpt_path = str(last_checkpoint(folder)) if found else None
        say(f"resuming {settings.ckpt_path}" if found else f"nothing to resume in {folder}: starting")
    checkpoints = (folder / "checkpoints").resolve()
    if settings.ckpt_path is not None and Path(settings.ckpt_path).resolve().parent == checkpoints:
        allowed = [] if isinstance(asked, bool) else Resume(**asked.as_dict()).keys
        compare(folder, yaml.safe_load(config), allowed)
    elif settings.ckpt_path is not None and settings["from"] is not None:
        raise UserError("from and ckpt_path both say what the run begins with: leave one out, as by --from null.")
    state = read(folder) if asked else None
    if state is not None and state.phase == "stopped early" and trained(folder) and settings.early_terminate:
        say(f"{folder} was stopped early ({state.reason}): go on with --early_terminate null")
        raise SystemExit
    if state is not None and state.phase == "done" and trained(folder) and state.length >= settings.kimg:
        say(f"{folder} is done: raise --kimg above {state.length:g} to train it further")
        raise SystemExit


def trainer(folder: Path, given: dict[str, Any], callbacks: list[Callback], logger: list[Logger] | bool) -> Lab:
    """Lightning's Trainer on what the machine affords.

    Args:
        folder: the run directory.
        given: the Trainer's own arguments.
        callbacks: those of the command, ahead of those given.
        logger: of a run.
    """
    given = dict(given)
    given["default_root_dir"] = folder
    given["precision"] = affordable(given["precision"], given["accelerator"])
    given["plugins"] = [DurableIO(), *slurms(), *(given["plugins"] or [])]
    within(
        "trainer.devices", processes(given["devices"], given["accelerator"]), least=1, most=most(given["accelerator"])
    )
    given["devices"], given["num_nodes"] = ranks(given["devices"], given["num_nodes"], given["accelerator"])
    if not (given["accelerator"] in ("auto", "gpu", "cuda") and torch.cuda.is_available()):
        given["devices"] = processes(given["devices"], given["accelerator"])  # of CPUs Lightning takes a number
    if given["num_nodes"] > 1 and not (below_srun() or "MASTER_ADDR" in os.environ):
        raise UserError(
            f"trainer.num_nodes is {given['num_nodes']}, but nothing has started this on other nodes: use srun or "
            "torchrun, or set MASTER_ADDR, MASTER_PORT and NODE_RANK on each."
        )
    if given["strategy"] == "auto" and processes(given["devices"], given["accelerator"]) * given["num_nodes"] > 1:
        given["strategy"] = AdversarialDDP()
    more = given["callbacks"] or []
    own = tuple(kind for kind in (Alarms, Samples) if any(isinstance(each, kind) for each in more))
    callbacks = [each for each in callbacks if not isinstance(each, own)]  # which have bounds or sizes of one's own
    if twice := {type(each) for each in callbacks} & {type(each) for each in more}:
        raise UserError(f"trainer.callbacks names {twice.pop().__name__}, which every run has already: leave it out.")
    given["callbacks"] = [*callbacks, *more]
    given["logger"] = logger
    given["profiler"] = given["profiler"] or Unprofiled()
    return Lab(**given)


def preparing_trainer(accelerator: str, fidelity: Fidelity | None) -> Lab:
    """One process on what there is: the login node that prepares has not the devices that will train."""
    return lone_trainer(accelerator, callbacks=[] if fidelity is None else [fidelity])


def auditing_trainer(given: dict[str, Any]) -> Lab:
    """One process on what there is, which knows how a fit by the Trainer's own arguments would compute."""
    precision = affordable(given["precision"], given["accelerator"])
    return lone_trainer(given["accelerator"], precision=precision, sync_batchnorm=given["sync_batchnorm"])


def lone_trainer(accelerator: str, **options: Any) -> Lab:
    """One process that leaves nothing behind."""
    off = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    return Lab(accelerator="cpu" if accelerator == "cpu" else "auto", devices=1, **off, **options)
