"""Lightning's Trainer, as ganlit's commands use it."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from lightning.pytorch.profilers import PassThroughProfiler
from lightning.pytorch.trainer.connectors.checkpoint_connector import _CheckpointConnector
from lightning.pytorch.utilities.warnings import PossibleUserWarning

from ganlit.callbacks.fidelity import Fidelity
from ganlit.metrics.groups import refuse
from ganlit.studies.audit.audit import audit
from ganlit.studies.evaluation.prepare import prepare


class FirstRanksCheckpoint(_CheckpointConnector):
    """All ranks go on from where the first does: on another machine a new checkpoint may not be seen yet."""

    def _restore_modules_and_callbacks(self, checkpoint_path: Any = None, weights_only: bool | None = None) -> None:
        super()._restore_modules_and_callbacks(self.trainer.strategy.broadcast(checkpoint_path), weights_only)


class Unprofiled(PassThroughProfiler):
    """Where nobody times the hundred hooks of a step, each is called as it is."""

    def profile(self, action_name: str) -> nullcontext:
        return UNTIMED


UNTIMED = nullcontext()


class Lab(Trainer):
    """Lightning's Trainer with one more command, and one answer to where a training goes on."""

    def __init__(self, **given: Any) -> None:
        warnings.filterwarnings("ignore", category=PossibleUserWarning)  # advice that does not hold for two players
        super().__init__(**given)
        self._checkpoint_connector = FirstRanksCheckpoint(self)

    def prepare(
        self,
        model: LightningModule,
        datamodule: LightningDataModule,
        ckpt_path: str | None = None,
        weights_only: bool | None = None,
    ) -> None:
        """Download, decode and compute all that a fit of the same configuration needs, so that it needs no network.

        Args:
            model: is not trained.
            datamodule: the data.
            ckpt_path: as for fit; nothing is read from it.
            weights_only: as for fit.
        """
        fidelity = next((callback for callback in self.callbacks if isinstance(callback, Fidelity)), None)
        if fidelity is not None:
            groups, takes_data = fidelity.asked(datamodule.modality), model.takes_data
            refuse(groups, getattr(model, "generator", None), takes_data, "fidelity.metrics")
        prepare(datamodule, fidelity, self.strategy.root_device)

    def audit(
        self,
        model: LightningModule,
        datamodule: LightningDataModule,
        ckpt_path: str | None = None,
        weights_only: bool | None = None,
        json: Path | None = None,
    ) -> None:
        """Prove, before a day of training, that the two networks of a configuration can play; exit code 1 if not.

        Args:
            model: is not trained: copies of it are.
            datamodule: the data.
            ckpt_path: as for fit; nothing is read from it.
            weights_only: as for fit.
            json: a file that gets what the tables tell.
        """
        joined = self._accelerator_connector._layer_sync is not None
        audit(model, datamodule, self.strategy.root_device, self.precision, joined, json)
