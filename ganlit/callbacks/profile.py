"""Speed, shares of time and memory of each tick."""

from __future__ import annotations

import resource
import sys
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from lightning.pytorch import Callback, Trainer

from ganlit.compute.stopwatch import Stopwatch
from ganlit.tasks.base import AdversarialModule

GIB = 2**30


class Tick(NamedTuple):
    """What was measured in one tick, on this rank."""

    number: int  # from 1 on, by the clock: the same in a run that was resumed
    images_per_second: float  # over all ranks, while training: without metrics and I/O
    shares: dict[str, float]  # of the wall time, by activity; their sum is 1
    peak_memory: float  # GiB


class Profile(Callback):
    """Times a training and logs each tick as time/*, speed/* and memory/*, with or without a progress bar.

    It gives the module its stopwatch. The module times the players by it and callbacks their writing ("io"); here are
    added "data", from the end of a step until the next batch is on the device, and "metrics", the validations. The
    rest is "other": the averaging of weights, other callbacks, Lightning itself.

    It comes after the callbacks that measure and save, so that a tick includes them.
    """

    def __init__(self) -> None:
        self.tick: Tick | None = None  # the latest

    def on_fit_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self.stopwatch = pl_module.stopwatch = Stopwatch(trainer.strategy.root_device)

    def on_train_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self.stopwatch.lap()  # what came before is of no tick

    def on_train_epoch_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self.images = 0
        self.stopwatch.start("data")

    def on_train_batch_start(self, *_: Any) -> None:
        self.stopwatch.stop()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: AdversarialModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.images += len(batch[0]) * trainer.world_size
        if not (trainer.is_last_batch or trainer.should_stop):
            self.stopwatch.start("data")

    def on_validation_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self.stopwatch.start("metrics")

    def on_validation_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self.stopwatch.stop()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        seconds = self.stopwatch.lap()
        if self.images == 0:  # stopped before the first step
            self.tick = None
            return
        total = sum(seconds.values())
        self.tick = Tick(
            tick_number(trainer, pl_module.images_seen),
            self.images / (total - seconds.get("metrics", 0.0) - seconds.get("io", 0.0)),
            {activity: spent / total for activity, spent in seconds.items()},
            peak_memory(trainer.strategy.root_device),
        )
        values = {f"time/{activity}": share for activity, share in self.tick.shares.items()}
        values["speed/images_per_second"] = self.tick.images_per_second
        values["memory/peak_gb"] = self.tick.peak_memory
        pl_module.log_dict({"kimg": pl_module.kimg, **values}, rank_zero_only=True)

    def teardown(self, trainer: Trainer, pl_module: AdversarialModule, stage: str) -> None:
        pl_module.stopwatch = nullcontext


def tick_number(trainer: Trainer, images_seen: int) -> int:
    """The tick, from 1 on, in which or with which the clock stands at `images_seen`."""
    if trainer.datamodule is None:  # bare loaders have no ticks but Lightning's epochs
        return trainer.current_epoch + 1
    return trainer.datamodule.ticks.at(images_seen)


def peak_memory(device: torch.device) -> float:
    """GiB at most: of a GPU those in tensors since the last call, else this process' resident set since its start."""
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        return peak / GIB
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage counts in bytes there, in KiB on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / GIB
