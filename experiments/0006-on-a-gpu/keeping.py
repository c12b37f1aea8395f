"""What is brought home of a run whose FID cannot be measured where it is trained."""

from __future__ import annotations

from pathlib import Path

from lightning.pytorch import Callback, Trainer

from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.callbacks.profile import tick_number
from ganlit.records import durable
from ganlit.tasks.base import AdversarialModule


class KeepAverages(Callback):
    """Writes the averaged generator at every so-many-th tick: points of a curve that others can measure.

    Args:
        every: ticks from one to the next.
    """

    def __init__(self, every: int = 4) -> None:
        self.every = every

    def on_train_epoch_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        tick = tick_number(trainer, pl_module.images_seen)
        if trainer.is_global_zero and tick % self.every == 0:
            config = next(each for each in trainer.callbacks if isinstance(each, Checkpoints)).config
            path = Path(trainer.default_root_dir) / "checkpoints" / f"ema-kimg{pl_module.kimg:05.0f}.safetensors"
            durable.write_weights(pl_module.ema.module, config, pl_module.images_seen, path)
