"""Scores that are made up, where what is measured does not matter."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import LightningModule, Trainer

from ganlit.callbacks.fidelity import Fidelity


class Scripted(Fidelity):
    """Measures nothing: the scores are given, one for each validation and the last for the test."""

    def __init__(self, *scores: float) -> None:
        super().__init__()
        self.scores = list(scores)
        self.number = "fid200/tiny@0/none/tiles-train@abcdef/ema"

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None: ...

    def due(self, trainer: Trainer) -> bool:
        return True

    def on_validation_epoch_start(self, *_: Any) -> None: ...

    def on_validation_batch_end(self, *_: Any) -> None: ...

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.latest = {self.number: self.scores.pop(0)}
        self.history.append((pl_module.kimg, self.latest))

    def on_test_epoch_start(self, *_: Any) -> None: ...

    def on_test_batch_end(self, *_: Any) -> None: ...

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.latest = {self.number: self.scores.pop(0), "floor-fid200/tiny@0/none/tiles-train@abcdef/real": 2.0}
