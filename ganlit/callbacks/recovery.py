"""What a run does when its numbers go wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer

from ganlit import durable
from ganlit.callbacks.checkpoint import rewind
from ganlit.callbacks.progress import say
from ganlit.errors import UserError
from ganlit.tasks.base import AdversarialModule


class Recovery(Callback):
    """Tells of every step that was skipped, goes back when they do not end, and gives up when going back is no help.

    Args:
        patience: skipped steps in a row after which the run goes back to its last checkpoint, on another branch of the
            random stream.
        attempts: times it goes back before it stops.
    """

    def __init__(self, patience: int = 10, attempts: int = 3) -> None:
        for key, value in {"patience": patience, "attempts": attempts}.items():
            if value < 1:
                raise UserError(f"recovery.{key} is {value}: it must be positive.")
        self.patience = patience
        self.attempts = attempts

    def on_train_batch_start(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        if pl_module.skips_in_a_row >= self.patience:
            self._go_back(trainer, pl_module)
        self.told = dict(pl_module.skipped)

    def on_train_batch_end(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        for name, count in pl_module.skipped.items():
            if count > self.told.get(name, 0):
                first, last = pl_module.images_seen - pl_module.images, pl_module.images_seen - 1
                say(f"skipped  {name} not finite on images {first} to {last}, step not taken; {count} so far")

    def _go_back(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        skipped, branch = pl_module.skipped, pl_module.branch + 1
        diagnosis = (
            f"{', '.join(skipped)} not finite for {self.patience} steps in a row at {pl_module.kimg:.1f} kimg: lower "
            "the learning rate of that player, regularize the discriminator, or train in 32-true"
        )
        if branch > self.attempts:
            raise UserError(f"{diagnosis}; going back {self.attempts} times was no help.")
        try:
            path, damage = durable.newest(Path(trainer.default_root_dir) / "checkpoints")
        except UserError:
            raise UserError(f"{diagnosis}; there is no checkpoint yet to go back to.") from None
        if damage is not None:
            say(damage)
        checkpoint = trainer.strategy.load_checkpoint(path, weights_only=True)
        trainer.strategy.load_model_state_dict(checkpoint)
        trainer.strategy.load_optimizer_state_dict(checkpoint)
        pl_module.on_load_checkpoint(checkpoint)
        pl_module.apply_hyperparameters()
        pl_module.skipped, pl_module.branch, pl_module.skips_in_a_row = skipped, branch, 0
        pl_module.rolled_back = True
        rewind(trainer, pl_module.kimg)
        say(f"{diagnosis}; going back to {pl_module.kimg:.1f} kimg, attempt {branch} of {self.attempts}")
