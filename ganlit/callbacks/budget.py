"""The length of a run."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import Callback, Trainer

from ganlit.tasks.base import AdversarialModule


class Budget(Callback):
    """Ends training with the step by which the discriminator has seen `kimg` thousand real images.

    The last tick may be shorter than the others; Lightning validates it as any other. A budget of whole ticks ends with
    one of them, see `ganlit.data.stream.Ticks`.
    """

    def __init__(self, kimg: float) -> None:
        self.kimg = kimg
        self.images = round(kimg * 1000, 6)  # 0.07 * 1000 is a little more than 70

    def on_fit_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        pl_module.check_length(self.kimg)

    def on_train_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self._check(trainer, pl_module)  # a finished run that is resumed has nothing left to do

    def on_train_batch_end(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        self._check(trainer, pl_module)

    def _check(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if pl_module.images_seen >= self.images:
            trainer.should_stop = True
