"""What a run tells of itself while it lasts."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from lightning.pytorch import Callback, Trainer

from ganlit.callbacks.alarms import Alarms
from ganlit.records.state import Recorder, ending
from ganlit.tasks.base import AdversarialModule


class Record(Callback):
    """Keeps state.json up to date, once a tick, and what the data have to tell beside it.

    Args:
        recorder: of this run, which others begin and end.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def on_train_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        device = trainer.strategy.root_device
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        self.recorder.update(kimg=pl_module.kimg, processes=trainer.world_size, device=name)
        if trainer.is_global_zero:
            trainer.datamodule.keep(Path(trainer.default_root_dir))
        self._expect("another rank has failed, see the output", trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        alarms = [name for each in trainer.callbacks if isinstance(each, Alarms) for name in each.ringing]
        self.recorder.update(kimg=pl_module.kimg, alarms=alarms)

    def on_exception(self, trainer: Trainer, pl_module: AdversarialModule, exception: BaseException) -> None:
        """Before other ranks are told, one of which may end this process."""
        if self.recorder.began:
            self.recorder.update(kimg=pl_module.kimg)
        if self.recorder.speaks and "by peer" not in str(exception) and not isinstance(exception, SystemExit):
            self.recorder.update(**ending(exception))
            self._expect(None, trainer)

    def _expect(self, reason: str | None, trainer: Trainer) -> None:
        """What is to be recorded if the alarm ends this process."""
        if (alarm := getattr(trainer.strategy, "alarm", None)) is not None:
            alarm.parting = partial(self.recorder.update, phase="failed", reason=reason) if reason else lambda: None
