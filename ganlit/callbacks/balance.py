"""How the two players stand to one another, once a tick."""

from __future__ import annotations

from lightning.pytorch import Callback, Trainer

from ganlit.callbacks.fidelity import Fidelity
from ganlit.callbacks.loggers.board import boards
from ganlit.metrics.protocol import called
from ganlit.tasks.base import AdversarialModule


class Balance(Callback):
    """Shows boards what the discriminator says of real and generated items.

    They also get the score under its short name, such as "fid" or "rfid": they compare runs by exact names, and the
    rest of an id changes with the machine.

    It comes after `fidelity`.
    """

    def __init__(self, fidelity: Fidelity | None = None) -> None:
        self.fidelity = fidelity

    def on_train_epoch_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if trainer.is_global_zero and pl_module.logits:
            arrays = {f"logits/{name}": values.float().cpu().numpy() for name, values in pl_module.logits.items()}
            for board in boards(trainer):
                board.log_histograms(arrays, pl_module.kimg)

    def on_validation_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if not trainer.is_global_zero or trainer.state.fn != "fit" or self.fidelity is None:
            return
        kimg = pl_module.kimg
        if self.fidelity.history and self.fidelity.history[-1][0] == kimg:
            name, value = self.fidelity.score
            for board in boards(trainer):
                board.log_metrics({called(name).lower(): value, "kimg": kimg})
