"""How fast a setting trains, by Lightning's Trainer and the project's own stopwatch."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from settings import Noise, Setting, module_of

from ganlit.callbacks.profile import Profile, peak_memory
from ganlit.compute.machine import affordable
from ganlit.compute.stopwatch import Stopwatch
from ganlit.tasks.base import AdversarialModule

ROUND = 4  # steps from one that has both penalties to the next
WARM = ROUND  # steps that are not measured
LEAST = 3  # rounds that are measured, unless time is short or steps are long
COSTS = ("D", "R1", "G", "path length", "rest")  # of a step
LOOK = 0.25  # seconds between two looks at how busy the device is


class Visits(Stopwatch):
    """Keeps how long each visit took, beside their sums."""

    def lap(self) -> dict[str, float]:
        ended = self.visits
        seconds = super().lap()
        self.each = [(visit.activity, visit.seconds) for visit in ended]
        return seconds


class Timed(Profile):
    """A profile by such a stopwatch."""

    def on_fit_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self.stopwatch = pl_module.stopwatch = Visits(trainer.strategy.root_device)


class Pace(Callback):
    """Ends a training after whole rounds, once it has been watched for long enough.

    Args:
        profile: whose stopwatch begins anew when all is warm.
        seconds: of watching that are enough.
        most: of all seconds, after which a single round has to do.
        least: rounds.
    """

    def __init__(self, profile: Profile, seconds: float, most: float, least: int) -> None:
        self.profile, self.seconds, self.ends, self.least = profile, seconds, time.monotonic() + most, least
        self.busy: list[int] = []

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: AdversarialModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        now, steps = time.monotonic(), batch_idx + 1
        if steps == WARM:
            busy(trainer.strategy.root_device)  # the first look takes its time
            self.profile.stopwatch.lap()
            self.began = self.looked = now
        elif steps > WARM:
            if now - self.looked > LOOK:
                self.looked = now
                self.busy += busy(trainer.strategy.root_device)
            rounds, rest = divmod(steps - WARM, ROUND)
            enough = rounds >= self.least and now - self.began >= self.seconds
            if rest == 0 and (enough or now > self.ends):
                trainer.should_stop = True


def busy(device: torch.device) -> list[int]:
    """Per cent of the time in which the device did something, lately; nothing where nobody can tell."""
    try:
        return [torch.cuda.utilization(device)] if device.type == "cuda" else []
    except Exception:  # NVIDIA's package is not here, or raises errors of its own
        return []


@contextmanager
def room() -> Iterator[None]:
    """What a block has left on the device is gone when it ends, however it ends."""
    try:
        yield
    finally:
        gc.collect()
        torch._dynamo.reset()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()


def trained(setting: Setting, module: AdversarialModule, device: torch.device, *callbacks: Callback) -> Trainer:
    """Trains on noise until a callback ends it; what a rehearsal has in place of bf16 is as `fit` would have it."""
    accelerator = "gpu" if device.type == "cuda" else "cpu"
    off = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary", "use_distributed_sampler")
    trainer = Trainer(
        accelerator=accelerator,
        devices=1,
        precision=affordable(setting.precision, accelerator),
        max_epochs=-1,
        limit_val_batches=0,
        callbacks=list(callbacks),
        **dict.fromkeys(off, False),
    )
    trainer.fit(module, Noise(setting, module))
    return trainer


def measured(
    setting: Setting, device: torch.device, smoke: bool, seconds: float, most: float, least: int = LEAST
) -> dict[str, Any]:
    """Medians over steps, and what follows from them at the intervals of the penalties.

    Args:
        smoke: whether networks are tiny.
        seconds: of watching.
        most: of all seconds.
        least: rounds of steps.
    """
    module = module_of(setting, smoke)
    intervals = [[each.every for each in parts] for parts in (module.regularizers, module.generator_regularizers)]
    for penalty in (*module.regularizers, *module.generator_regularizers):
        penalty.every = ROUND  # so that a few seconds hold several; their intervals come in again below
    profile = Timed()
    pace = Pace(profile, seconds, most, least)
    trainer = trained(setting, module, device, pace, profile)
    if any(module.skipped.values()):
        raise RuntimeError(f"steps were not taken, {module.skipped}: what they cost says nothing")
    costs = apart(profile.stopwatch.each)
    return {
        "img/s": rate(setting.batch, costs, *(every[0] if every else None for every in intervals)),
        "without penalties": rate(setting.batch, costs, None, None),
        **{f"{name} ms": 1000 * costs[name] if name in costs else None for name in COSTS},
        "peak GiB": profile.tick.peak_memory if profile.tick else peak_memory(device),
        "busy %": median(pace.busy) if pace.busy else None,
        "steps": costs["steps"],
        "precision": trainer.precision,
    }


def apart(visits: list[tuple[str, float]]) -> dict[str, float]:
    """Seconds of a step: of either player, of what a penalty adds to a step that has it, and of all the rest."""
    spans: dict[str, list[float]] = {}
    for activity, seconds in visits:
        spans.setdefault(activity, []).append(seconds)
    steps = sum(len(spans.get(f"discriminator{more}", [])) for more in ("", "+regularizers"))
    costs: dict[str, float] = {"steps": steps}
    for player, short, penalty in (("discriminator", "D", "R1"), ("generator", "G", "path length")):
        costs[short] = median(spans[player])
        if with_it := spans.get(f"{player}+regularizers"):
            costs[penalty] = median(with_it) - costs[short]
    costs["rest"] = (sum(spans.get("data", [])) + sum(spans.get("other", []))) / steps
    return costs


def rate(batch: int, costs: dict[str, float], r1: int | None, path_length: int | None) -> float:
    """Images a second, with each penalty at every so-many-th step, or none."""
    step = costs["D"] + costs["G"] + costs["rest"]
    step += costs.get("R1", 0.0) / r1 if r1 else 0.0
    step += costs.get("path length", 0.0) / path_length if path_length else 0.0
    return batch / step
