"""What a run can be rebuilt and resumed from."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer

from ganlit.callbacks.fidelity import Fidelity
from ganlit.tasks.base import AdversarialModule


def flush(path: Path) -> None:
    """Forces a written file to the disk: a rename must not become durable before the content."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


class Checkpoints(Callback):
    """Keeps config.yaml and, once a tick, checkpoints/last.ckpt and the best.ckpt of the lowest score.

    Every file is written under another name and then renamed, so that a kill leaves the old one or the new one.

    Args:
        config: content of config.yaml, written when training starts.
        fidelity: whose score decides which is best; without it only the last is kept.
    """

    def __init__(self, config: str, fidelity: Fidelity | None = None) -> None:
        self.config = config
        self.fidelity = fidelity
        self.best: float | None = None
        self.best_kimg: float | None = None

    def on_train_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if trainer.is_global_zero:
            path = Path(trainer.default_root_dir) / "config.yaml"
            partial = path.with_suffix(".partial")
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(self.config)
            os.replace(partial, path)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        score = self.fidelity.score if self.fidelity is not None else None
        improved = score is not None and (self.best is None or score < self.best)
        if improved:
            self.best, self.best_kimg = score, pl_module.kimg
        last = Path(trainer.default_root_dir) / "checkpoints" / "last.ckpt"
        partial = last.with_suffix(".partial")
        trainer.save_checkpoint(partial, weights_only=False)  # on every rank
        if trainer.is_global_zero:
            flush(partial)
            if improved:
                self._replace_best(partial)
            os.replace(partial, last)

    def _replace_best(self, checkpoint: Path) -> None:
        partial = checkpoint.with_name("best.partial")
        shutil.copyfile(checkpoint, partial)
        flush(partial)
        os.replace(partial, checkpoint.with_name("best.ckpt"))

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "best_kimg": self.best_kimg}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.best_kimg = state_dict["best"], state_dict["best_kimg"]
