"""A task that waits for the tests: what they do to a job meets it after a step of their choice, whatever the time.

NOTES=FOLDER: in FOLDER/RUN each rank leaves `ready-RANK` before the first step and `N-RANK` after step N. It waits
there where `stop-ready` or `stop-N` lies, until that is removed or a signal comes. Where `alone` lies a run finds no
command of SLURM, as in a container; where `bad` lies it fails.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from faulty import Faulty

from ganlit.compute import signals


class Gated(Faulty):
    def setup(self, stage: str) -> None:
        super().setup(stage)
        self.notes.mkdir(parents=True, exist_ok=True)
        if (self.notes / "alone").exists():
            os.environ["PATH"] = ""
        if stage == "fit":
            self.gate("ready")

    def training_step(self, batch: Any, batch_idx: int) -> None:
        super().training_step(batch, batch_idx)
        if (self.notes / "bad").exists():
            raise ArithmeticError("cannot count")
        self.gate(str(self.images_seen // self.images))

    @property
    def notes(self) -> Path:
        return Path(os.environ["NOTES"]) / Path(self.trainer.default_root_dir).relative_to("runs")

    def gate(self, name: str) -> None:
        (self.notes / f"{name}-{self.global_rank}").touch()
        while (self.notes / f"stop-{name}").exists() and not (signals.early or self.stop_requested):
            time.sleep(0.05)
