"""Lightning's commands, `python -m ganlit fit | validate | test | prepare | audit`."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ganlit.callbacks.fidelity import Fidelity
from ganlit.callbacks.loggers.board import boards
from ganlit.callbacks.profile import Profile
from ganlit.callbacks.progress import Progress
from ganlit.cli.lab import Lab
from ganlit.cli.run import Run, auditing_trainer, preparing_trainer, trainer
from ganlit.cli.telling import begins, blamed, ends, inherits, measures, stops
from ganlit.compute.machine import below_srun
from ganlit.configuration.command_line import CommandLine
from ganlit.configuration.inheritance import inherit
from ganlit.errors import UserError
from ganlit.records.durable import whole
from ganlit.records.runs import last_checkpoint, trained

ALONE = ("prepare", "audit")
"""Commands of one process, which need neither a run directory nor weights."""


class GanlitCLI(CommandLine):
    """Does what a command line asks for."""

    def __init__(self, args: list[str] | None = None) -> None:
        with ExitStack() as self.holding:  # the run directory, while the command lasts
            super().__init__(args, trainer_class=Lab)

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        return {**CommandLine.subcommands(), **{name: {"model", "datamodule"} for name in ALONE}}

    def before_instantiate_classes(self) -> None:
        self.began = time.monotonic()
        super().before_instantiate_classes()
        settings = self.settings
        if self.subcommand == "fit":
            self.run = Run(self.folder, settings, self.dump, self.holding)
        elif self.subcommand in ALONE:
            return
        elif settings.fidelity is None:
            raise UserError(f"{self.subcommand} with fidelity: null has nothing to measure: leave the key out.")
        elif settings.ckpt_path is None:
            settings.ckpt_path = str(last_checkpoint(self.folder))
        if settings.ckpt_path is not None:
            whole(Path(settings.ckpt_path))

    def instantiate_trainer(self, **_: Any) -> Lab:
        built = self.config_init[self.subcommand]
        self.fidelity: Fidelity | None = built.fidelity
        if self.subcommand == "prepare":
            return preparing_trainer(built.trainer.accelerator, self.fidelity)
        if self.subcommand == "audit":
            return auditing_trainer(built.trainer)
        bar = built.trainer.enable_progress_bar
        if self.subcommand == "fit":
            callbacks = self.run.callbacks(
                self.settings.kimg, self.fidelity, built.recovery, built.early_terminate, bar
            )
            logger = self.run.loggers(built.wandb, built.trainer.logger)
        else:
            callbacks = [self.fidelity, *([] if bar is False else [Progress(self.settings.kimg, Profile())])]
            logger = False
        return trainer(self.folder, built.trainer, callbacks, logger)

    def before_fit(self) -> None:
        if "LOCAL_RANK" not in os.environ and not below_srun():  # before this process starts others
            self.model.share(self.datamodule.batch, self.trainer.world_size)
        inherited = inherit(self.model, self.inheritance, resumed=self.settings.ckpt_path is not None)
        begins(self.folder, self.model, self.settings.kimg)
        inherits(inherited)

    def before_audit(self) -> None:
        inherits(inherit(self.model, self.inheritance))

    def fit(self, **kwargs: Any) -> None:
        with stops(self.folder, self.model), blamed():
            self.trainer.fit(**kwargs)

    def after_fit(self) -> None:
        if self.run.checkpoints.saved == self.model.images_seen and not trained(self.folder):
            raise UserError(
                f"{self.settings.ckpt_path} is at {self.model.kimg:g} kimg already: raise --kimg above that to go on."
            )
        if self.run.checkpoints.saved != self.model.images_seen or not trained(self.folder):
            raise UserError(
                f"{self.folder} has no checkpoint of its end, at {self.model.kimg:g} kimg: what was trained there is "
                "not finite, or was too little to be saved; lower the learning rates, or raise --kimg."
            )
        if self.fidelity is not None and self.model.outcome == "done":
            with stops(self.folder, self.model):
                self.test(model=self.model, datamodule=self.datamodule)
        ends(self.folder, self.run.checkpoints, time.monotonic() - self.began, self.model.outcome)
        for board in boards(self.trainer):
            board.log_outcome(self.model.outcome, self.model.ended, self.model.kimg)
        self.run.recorder.update(phase=self.model.outcome, reason=self.model.ended)  # boards may take minutes to end

    def validate(self, **kwargs: Any) -> None:
        measures(self.trainer.validate(**{**kwargs, "verbose": False}))

    def test(self, **kwargs: Any) -> None:
        measures(self.trainer.test(**{**kwargs, "verbose": False}))
