"""What ranks tell each other in a step, counted: --trust messages --trainer.callbacks+=messages.Messages.

At the end rank 0 writes messages.csv into the directory of the run: for each step the messages, their bytes, and the
seconds that it waited in them.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, distributed


class Messages(Callback):
    """Counts all that goes through `torch.distributed.all_reduce`, the only call of a step."""

    def __init__(self) -> None:
        self.rows: list[list[float]] = []
        self.now = [0, 0, 0.0]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        send = distributed.all_reduce

        def counted(tensor: Tensor, *others: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return send(tensor, *others, **named)
            finally:
                took = time.perf_counter() - began
                sizes = 1, tensor.numel() * tensor.element_size(), took
                self.now = [old + new for old, new in zip(self.now, sizes, strict=True)]

        distributed.all_reduce = counted

    def on_train_batch_start(self, *_: Any) -> None:
        self.now, self.began = [0, 0, 0.0], time.perf_counter()

    def on_train_batch_end(self, *_: Any) -> None:
        self.rows.append([*self.now, time.perf_counter() - self.began])

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero:
            with open(Path(trainer.default_root_dir) / "messages.csv", "w", newline="") as file:
                csv.writer(file).writerows([("messages", "bytes", "in messages, s", "step, s"), *self.rows])
