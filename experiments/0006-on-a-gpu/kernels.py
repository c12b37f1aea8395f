"""Where the time of a step goes: the operations that take most of it, by torch's profiler."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from settings import Setting, module_of
from speed import ROUND, WARM, trained
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from ganlit.tasks.base import AdversarialModule

SHOWN = 8  # operations
LETTERS = 80  # of their names, which templates make long


class Watch(Callback):
    """Profiles some steps."""

    def __init__(self, device: torch.device, steps: int) -> None:
        self.steps = steps
        self.profiler = profile(activities=[getattr(ProfilerActivity, device.type.upper())])

    def on_train_batch_start(self, trainer: Trainer, pl_module: AdversarialModule, batch: Any, batch_idx: int) -> None:
        if batch_idx == WARM:
            self.profiler.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: AdversarialModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx == WARM + self.steps - 1:
            self.profiler.stop()
            trainer.should_stop = True


def kernels(setting: Setting, device: torch.device, smoke: bool) -> dict[str, dict[str, Any]]:
    """By name what the costliest operations take of a step, and all of them together; penalties at their intervals."""
    steps = 1 if smoke else ROUND
    watch = Watch(device, steps)
    trained(setting, module_of(setting, smoke), device, watch)
    events = watch.profiler.key_averages()
    kind, column = (DeviceType.CUDA, "device") if device.type == "cuda" else (DeviceType.CPU, "cpu")
    there = [event for event in events if event.device_type == kind]
    costs = [(event.key, event.count, getattr(event, f"self_{column}_time_total")) for event in there]
    total = sum(time for _, _, time in costs)
    costs.sort(key=lambda cost: -cost[2])
    shown = [("all", sum(count for _, count, _ in costs), total), *costs[:SHOWN]]
    return {
        name[:LETTERS]: {"calls a step": count / steps, "ms a step": time / 1000 / steps, "share": time / total}
        for name, count, time in shown
    }
