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

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.images import backbones
from ganlit.tasks.synthesis import Synthesis


class Tiny(FeatureExtractor):
    """Two means of an image's halves, in place of the Inception."""

    name = "tiny"
    dim = 2
    protocol = "tiny@0/none"
    batch = 500

    def __init__(self, weights: Path | None = None, precision: str = "fp32", resize: str = "legacy") -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1 / 255))

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        return {"pool": adaptive_avg_pool2d((images * self.scale).mean(1, keepdim=True), (2, 1)).flatten(1)}


backbones.Inception = Tiny


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
