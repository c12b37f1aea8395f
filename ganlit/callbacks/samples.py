"""What the generator does, from the same latents all along, to look at or to listen to."""

from __future__ import annotations

from pathlib import Path

import torch
from lightning.pytorch import Callback, Trainer

from ganlit.callbacks.loggers.board import boards
from ganlit.contracts import Sampled
from ganlit.errors import within
from ganlit.records.samples import FOLDER, place
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.step import stateless_seed


class Samples(Callback):
    """Writes samples/real at the start and then, ahead of each validation, what the EMA generator makes.

    The latents are the same in all of them, and a dataset with classes has one in each column. How they are shown is
    for the modality of the data to say.
    """

    def __init__(self, rows: int = 8, columns: int = 10) -> None:
        for key, count in {"rows": rows, "columns": columns}.items():
            within(f"Samples.{key}", count, least=1, most=100)
        self.rows = rows
        self.columns = columns

    def on_train_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if trainer.is_global_zero:
            modality = trainer.datamodule.modality
            self.batch = trainer.datamodule.grid(self.rows, self.columns)
            sampled = self._sample(pl_module)
            real = modality.to_stored(sampled.reference)
            modality.show([real], self.columns, Path(trainer.default_root_dir) / FOLDER / "real")
            if pl_module.images_seen == 0:  # a resumed run has its samples
                self._write(trainer, pl_module, sampled)

    def on_validation_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if trainer.is_global_zero and trainer.state.fn == "fit":
            self._write(trainer, pl_module, self._sample(pl_module))

    def _sample(self, module: AdversarialModule) -> Sampled:
        device = module.device
        batch = module.transfer_batch_to_device(self.batch, device, 0)
        with torch.no_grad(), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(stateless_seed(module.seed))
            return module.sample(batch)

    def _write(self, trainer: Trainer, pl_module: AdversarialModule, sampled: Sampled) -> None:
        modality = trainer.datamodule.modality
        with pl_module.stopwatch("io"):
            stem = place(Path(trainer.default_root_dir), pl_module.kimg)
            files = modality.show([modality.to_stored(sampled.output)], self.columns, stem)
            for board in boards(trainer):
                board.log_media("samples", files, pl_module.kimg)
