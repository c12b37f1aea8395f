"""How a run ends when it is asked to."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher

from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.compute import signals, slurm
from ganlit.compute.console import say
from ganlit.errors import Stopped
from ganlit.tasks.base import AdversarialModule


class Interrupt(Callback):
    """Ctrl-C, SIGTERM, the end of a session, and SIGUSR1 from SLURM: the step is finished, the run saved and ended.

    All ranks stop after the same step, whichever was signalled. A measured validation is left where it stands: it has
    a checkpoint behind it. On several ranks, which wait for one another there, the first leaves and ends the others.

    A second signal ends a run at once; but not on SLURM, which sends several and kills by itself what takes too long.

    Args:
        checkpoints: by which the run is saved.
        parting: told of a signal that ends the process at once.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signals.ENDING)

    def __init__(self, checkpoints: Checkpoints, parting: Callable[[int], object] = lambda number: None) -> None:
        self.checkpoints = checkpoints
        self.parting = parting
        self.signal: int | None = None

    def on_train_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self._listen(trainer, pl_module)

    def on_test_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self._listen(trainer, pl_module)

    def on_train_batch_start(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        if pl_module.stop_agreed:  # the step before is now logged, and validated where it ended a tick
            told = torch.tensor(float(self.signal or 0), device=pl_module.device)
            told = int(trainer.strategy.reduce(told, reduce_op="max"))  # it may have reached another rank alone
            self.checkpoints.save(trainer, pl_module)
            raise Stopped(told or signal.SIGTERM)

    def on_validation_batch_end(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        self._leave_measuring(trainer)

    def on_test_batch_end(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        self._leave_measuring(trainer)

    def _leave(self, trainer: Trainer) -> None:
        if self.signal is None or not trainer.is_global_zero:
            return
        if trainer.world_size > 1:
            if (alarm := getattr(trainer.strategy, "alarm", None)) is None:
                return
            alarm.ring(0)
        raise Stopped(self.signal)

    def _leave_measuring(self, trainer: Trainer) -> None:
        if trainer.testing or self.checkpoints.owes_validation:
            self._leave(trainer)

    def _listen(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if self.checkpoints.fidelity is not None:  # the real items may take longer than there is time left
            self.checkpoints.fidelity.watch = partial(self._leave_measuring, trainer)

        def answer(number: int, frame: FrameType | None) -> None:
            if self.signal is None:
                self.signal = number
                pl_module.stop_requested = True
                more = "" if slurm.job() else "; once more to stop at once"
                say(f"{signal.Signals(number).name}: stopping after this step{more}")
            elif slurm.job() is None:
                if isinstance(launcher := trainer.strategy.launcher, _SubprocessScriptLauncher):
                    launcher.kill(signal.SIGKILL)
                self.parting(number)
                os._exit(128 + number)

        if threading.current_thread() is threading.main_thread():  # elsewhere Python takes no handlers
            for number in self.SIGNALS:
                if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as nohup asks for
                    signal.signal(number, answer)
        while signals.early:
            answer(signals.early.pop(), None)
