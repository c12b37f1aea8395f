"""Schedules on the one clock."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import Callback, Trainer

from ganlit.errors import UserError
from ganlit.tasks.base import AdversarialModule


class Anneal(Callback):
    """Lowers the learning rates of both players linearly to zero over the last part of a run, which lets them settle.

    The rate is a function of kimg alone, so that a resumed run goes on where it was.

    Args:
        end: kimg at which the rates are zero: the budget, `${kimg}`.
        share: of the way to `end`, over which they fall.
    """

    def __init__(self, end: float, share: float = 0.5) -> None:
        if not 0 < share <= 1:
            raise UserError(f"Anneal: share is {share}; it must lie between 0 and 1.")
        self.end = end
        self.share = share

    def factor(self, kimg: float) -> float:
        """What the rates are multiplied by: 1 at first, 0 from `end` on."""
        return min(1.0, max(0.0, (self.end - kimg) / (self.end * self.share)))

    def on_train_batch_start(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        for optimizer in trainer.optimizers:
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", group["lr"])  # saved with the optimizer, before it is first changed
                group["lr"] = group["initial_lr"] * self.factor(pl_module.kimg)
