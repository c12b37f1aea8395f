"""What one sees of a run while it runs."""

from __future__ import annotations

import time
from typing import Any

import rich
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ProgressBar
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from ganlit.callbacks.fidelity import Fidelity
from ganlit.callbacks.profile import Profile, Tick
from ganlit.compute.console import clock, say
from ganlit.metrics.protocol import shown
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS, Player

SHARES = {
    "discriminator": "D",
    "generator": "G",
    "regularizers": "reg",
    "data": "data",
    "metrics": "metrics",
    "io": "io",
}  # as the tick line calls them, in its order; what they leave of 100 % is other


def costs(tick: Tick) -> str:
    """Shares of the tick's time, of what was met in it, and its memory: "D 48% G 36% data  1%  peak 1.2 GB"."""
    shares = [f"{name} {tick.shares[activity]:3.0%}" for activity, name in SHARES.items() if activity in tick.shares]
    return f"{' '.join(shares)}  peak {tick.peak_memory:.1f} GB"


class Progress(ProgressBar):
    """A bar on a terminal; and, there as in a log file, one plain line for each tick.

    It comes after `profile`, whose numbers the line shows.

    Args:
        kimg: the length of the run.
        profile: measures speed, shares of time and memory of each tick.
        fidelity: whose score is shown.
        refresh: seconds between two looks at the losses, for which the host waits for the device.
    """

    def __init__(self, kimg: float, profile: Profile, fidelity: Fidelity | None = None, refresh: float = 0.5) -> None:
        super().__init__()
        self.kimg = kimg
        self.profile = profile
        self.fidelity = fidelity
        self.refresh = refresh
        self.is_enabled = True
        self.bar: Bar | None = None

    def enable(self) -> None:
        self.is_enabled = True

    def disable(self) -> None:
        self.is_enabled = False

    def print(self, *args: Any, **kwargs: Any) -> None:
        say(" ".join(str(arg) for arg in args))

    def on_fit_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self.started, self.kimg_at_start, self.rate = time.monotonic(), pl_module.kimg, 0.0
        self.once_at_start = self._once()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self.tick_started, self.shown = time.monotonic(), 0.0

    def on_train_batch_end(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        now = time.monotonic()
        self.rate = self.profile.images / (now - self.tick_started)
        if self._is_live and now - self.shown > self.refresh:
            self.shown = now
            self._show("training", pl_module.kimg / self.kimg, self.summary(trainer, pl_module))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        tick = self.profile.tick
        if self.is_enabled and tick is not None:
            self.rate = tick.images_per_second
            say(f"tick {tick.number:<3} {self.summary(trainer, pl_module)}  {costs(tick)}")

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: AdversarialModule, outputs: Any, batch: Any, batch_idx: int, *_: Any
    ) -> None:
        share = (batch_idx + 1) / sum(trainer.num_val_batches)
        if trainer.state.fn == "fit":
            self._show(f"measuring {share:.0%}", pl_module.kimg / self.kimg, self.summary(trainer, pl_module))
        else:
            self._show("measuring", share, "")

    def on_test_batch_end(
        self, trainer: Trainer, pl_module: AdversarialModule, outputs: Any, batch: Any, batch_idx: int, *_: Any
    ) -> None:
        self._show("measuring", (batch_idx + 1) / sum(trainer.num_test_batches), "")

    def on_exception(self, trainer: Trainer, pl_module: AdversarialModule, exception: BaseException) -> None:
        self._close()

    def teardown(self, trainer: Trainer, pl_module: AdversarialModule, stage: str) -> None:
        self._close()

    def summary(self, trainer: Trainer, pl_module: AdversarialModule) -> str:
        """Where the run stands: clock, score, losses, speed, time elapsed and left; always as long."""
        digits = len(f"{self.kimg:.1f}")
        parts = [f"kimg {pl_module.kimg:{digits}.1f}/{self.kimg:g}"]
        if self.fidelity is not None:
            parts.append(shown(self.fidelity.score))
        parts += [f"{player[0].upper()} {self._loss(pl_module, player)}" for player in PLAYERS]
        elapsed = time.monotonic() - self.started
        recurring = elapsed - (self._once() - self.once_at_start)
        trained, ahead = pl_module.kimg - self.kimg_at_start, max(self.kimg - pl_module.kimg, 0)
        left = clock(recurring * ahead / trained) if trained > 0 else "-"  # a rollback may lead to where it started
        parts += [f"{self.rate:4.0f} img/s", f"{clock(elapsed):>5} gone", f"{left:>5} left"]
        return "  ".join(parts)

    def _once(self) -> float:
        """Seconds spent so far on what a run does once: the real statistics."""
        return self.fidelity.seconds_real if self.fidelity is not None else 0.0

    def _loss(self, module: AdversarialModule, player: Player) -> str:
        """The first of a player's terms: its adversarial loss, or the first criterion; a dash before its first turn."""
        terms = [value for name, value in module.latest.items() if name.startswith(f"{player}/")]
        return f"{float(terms[0]):.3f}" if terms else "    -"

    @property
    def _is_live(self) -> bool:
        """Whether there is a bar: in a log file nothing is looked at between two ticks."""
        return self.is_enabled and rich.get_console().is_terminal

    def _show(self, stage: str, share: float, text: str) -> None:
        if not self._is_live:
            return
        if self.bar is None:
            columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}")
            self.bar = Bar(*columns, transient=True)
            self.bar.add_task(stage, total=1.0, text=text)
            self.bar.start()
        self.bar.update(self.bar.task_ids[0], description=stage, completed=min(share, 1.0), text=text)

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
