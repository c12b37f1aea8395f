"""A task for the command line that fails when the environment tells it to, and features that take no time.

FAULT="rank:step:what ...": what happens to ranks after a step, or in every step of a validation. SERVED=FOLDER: where
ranks note the images that they train on, and by the time of the file `fault` when that was.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from extractors import Tiny
from torch import Tensor

from ganlit.errors import UserError
from ganlit.metrics.images import backbones
from ganlit.tasks.synthesis import Synthesis


class Grey(Tiny):
    """Of grey images one channel says all."""

    dim = 2

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        return super().encode(images.float().mean(1, keepdim=True))


backbones.Inception = Grey


class Faulty(Synthesis):
    def training_step(self, batch: Any, batch_idx: int) -> None:
        clock = self.images_seen
        super().training_step(batch, batch_idx)
        shades = (batch.item.mean((1, 2, 3)) * 127.5 + 127.5).round().int().tolist()
        with (self.notes / f"served-{self.global_rank}").open("a") as file:
            print(clock, *shades, file=file)
        self.fail_at(str(clock // self.images))

    def validation_step(self, batch: Any, batch_idx: int) -> Any:
        self.fail_at("validation")
        return super().validation_step(batch, batch_idx)

    def fail_at(self, place: str) -> None:
        for fault in os.environ.get("FAULT", "").split():
            rank, step, what = fault.split(":")
            if (rank, step) == (str(self.global_rank), place):
                self.fail(what)

    @property
    def notes(self) -> Path:
        return Path(os.environ["SERVED"])

    def fail(self, what: str) -> None:
        (self.notes / "fault").touch()
        match what:
            case "error":
                raise ArithmeticError(f"rank {self.global_rank} cannot count")
            case "refusal":
                raise UserError(f"rank {self.global_rank} does not like its data: give it better ones.")
            case "hang":
                time.sleep(3600)
            case _:
                os.kill(os.getpid(), signal.Signals[what])
