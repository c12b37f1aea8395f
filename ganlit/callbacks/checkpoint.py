"""What a run can be rebuilt and resumed from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import CheckpointIO
from lightning.pytorch import Callback, Trainer

from ganlit.callbacks.fidelity import Fidelity
from ganlit.callbacks.loggers.metrics_file import MetricsFile
from ganlit.compute.console import say
from ganlit.metrics.measure import improves
from ganlit.metrics.protocol import difference
from ganlit.records import durable
from ganlit.tasks.base import AdversarialModule


class DurableIO(CheckpointIO):
    """Lightning's door to `ganlit.records.durable`: a plugin of the Trainer."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        durable.save(checkpoint, Path(path))

    def load_checkpoint(self, path: str | Path, map_location: Any = None, weights_only: Any = None) -> dict[str, Any]:
        return durable.load(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        Path(path).unlink(missing_ok=True)


def rewind(trainer: Trainer, kimg: float) -> None:
    """Lets the record of a run end where training goes on."""
    for logger in trainer.loggers:
        if isinstance(logger, MetricsFile):
            logger.rewind(kimg)


class Checkpoints(Callback):
    """Keeps config.yaml and, once a tick, checkpoints/last.ckpt, the one before it and the best.ckpt by score.

    Measuring may take longer than a tick: a checkpoint is written ahead of it too, which owes its validation. A run
    that is resumed from there pays first, and so ends with the same history as one that was never stopped.

    Args:
        config: content of config.yaml, written when training starts.
        fidelity: whose score decides which is best; without it only the last is kept.
    """

    def __init__(self, config: str, fidelity: Fidelity | None = None) -> None:
        self.config = config
        self.fidelity = fidelity
        self.best: float | None = None
        self.best_name: str | None = None  # the protocol id of that number
        self.best_kimg: float | None = None
        self.owes_validation = False
        self.saved: int | None = None  # images seen, of the state that last.ckpt holds
        self.troubled = False  # whether the last save fell among skipped steps

    def on_train_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if trainer.ckpt_path is not None:
            self.saved = pl_module.images_seen
        if trainer.is_global_zero:
            self._write_config(Path(trainer.default_root_dir) / "config.yaml", pl_module.kimg)
            self._keep_best(trainer, pl_module.kimg)
        rewind(trainer, pl_module.kimg)
        if self.owes_validation:
            trainer.validating = True
            trainer.fit_loop.epoch_loop.val_loop.run()
            trainer.training = True
            self.on_train_epoch_end(trainer, pl_module)

    def on_validation_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        measured = trainer.state.fn == "fit" and self.fidelity is not None and self.fidelity.due(trainer)
        if measured and not self.owes_validation:
            self.owes_validation = True
            self.save(trainer, pl_module)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self.owes_validation = False
        score = self._fresh(pl_module.kimg)
        before = self.best, self.best_name, self.best_kimg
        improved = score is not None and self._improves(*score)
        if improved:
            (self.best_name, self.best), self.best_kimg = score, pl_module.kimg
        if not self.save(trainer, pl_module):
            self.best, self.best_name, self.best_kimg = before
        elif improved and trainer.is_global_zero:
            durable.keep(self._folder(trainer) / "last.ckpt", "best.ckpt")

    def on_train_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        """The average alone, for those who only want to sample it."""
        if trainer.is_global_zero and self.saved == pl_module.images_seen:
            path = self._folder(trainer) / "ema.safetensors"
            durable.write_weights(pl_module.ema.module, self.config, pl_module.images_seen, path, pl_module.populated)

    def save(self, trainer: Trainer, pl_module: AdversarialModule) -> bool:
        """Writes last.ckpt; all ranks take part.

        Returns:
            Whether it was written: weights that are not finite are no state to go back to, and a second save among
            skipped steps would push out the one before them.
        """
        if not torch.stack([parameter.isfinite().all() for parameter in pl_module.parameters()]).all():
            say(f"not saved at {pl_module.kimg:.1f} kimg: there are weights that are not finite")
            return False
        ends = trainer.should_stop or pl_module.stop_agreed
        if self.troubled and pl_module.skips_in_a_row and not ends:
            return False
        self.troubled = pl_module.skips_in_a_row > 0
        with pl_module.stopwatch("io"):
            trainer.save_checkpoint(self._folder(trainer) / "last.ckpt", weights_only=False)
        self.saved = pl_module.images_seen
        return True

    def _fresh(self, kimg: float) -> tuple[str, float] | None:
        """The score of these very weights; None where they were not measured."""
        measured = self.fidelity is not None and self.fidelity.history and self.fidelity.history[-1][0] == kimg
        return self.fidelity.score if measured else None

    def _improves(self, name: str, value: float) -> bool:
        """Whether a score is the best; one under another protocol is no match for it, and begins anew."""
        if self.best is None:
            return True
        if self.best_name not in (None, name):
            say(f"best     begins anew, scores cannot be compared: {difference(name, self.best_name)}")
            return True
        return improves(name, value, self.best)

    def _keep_best(self, trainer: Trainer, kimg: float) -> None:
        """Gives the best checkpoint its name where a kill fell between that and its saving."""
        resumed = Path(trainer.ckpt_path or "")
        if self.best_kimg == kimg and resumed.resolve().parent == self._folder(trainer).resolve():
            durable.keep(resumed, "best.ckpt")

    def _write_config(self, path: Path, kimg: float) -> None:
        """Keeps the settings of a run that goes on under others."""
        if path.exists() and path.read_text("utf-8") != self.config:
            durable.keep(path, f"config.until-kimg{kimg:08.1f}.yaml")
        with durable.replacing(path) as partial:
            partial.write_text(self.config, "utf-8")

    def _folder(self, trainer: Trainer) -> Path:
        return Path(trainer.default_root_dir) / "checkpoints"

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("best", "best_name", "best_kimg", "owes_validation")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.best_kimg = state_dict["best"], state_dict["best_kimg"]
        self.best_name = state_dict.get("best_name")
        self.owes_validation = state_dict.get("owes_validation", False)
