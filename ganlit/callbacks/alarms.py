"""What is told at once of a generator that takes data: that it changes nothing, makes one thing of all, or drifts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer

from ganlit.compute.console import say
from ganlit.contracts import Sampled
from ganlit.errors import within
from ganlit.metrics.symptoms import Symptoms
from ganlit.records.events import record
from ganlit.tasks.base import AdversarialModule

RECORD = "alarms.txt"
"""In the run directory: when an alarm began and ended."""

SHOWS = {
    "identity": "outputs differ from their sources by {:.3g} of what targets do",
    "variety": "outputs differ from one another by {:.3g} of what targets do",
    "drift": "the mean of a channel is {:.3g} steps of 255 away from where it should be",
}
"""What a number says."""

MEANS = {
    "identity": "the generator gives back what it is given, so let what judges its output count more",
    "variety": "the generator makes one thing of all, so slow the discriminator down, or let the criteria count more",
    "drift": "colours, or levels, shift, so let a criterion such as L1 count more, or look at the last layer",
}
"""What it means where it is out of bounds, and what may be done."""


class Alarms(Callback):
    """Looks at each validation of a generator that takes data at the first items that are sampled for it anyway.

    An alarm is told once when it begins and once when it ends, in a sentence that alarms.txt keeps, too; while it
    lasts its name is in state.json. The numbers behind it are logged as alarm/identity, alarm/variety and alarm/drift.
    Every run has these alarms; name this class among trainer.callbacks to change their bounds.

    Args:
        identity: alarm below this: how far outputs are from sources, as a share of how far targets are from them; where
            these are of one shape and not the same. 0 is no alarm.
        variety: alarm below this: how far outputs are from one another, as a share of how far targets are. 0 is none.
        drift: alarm above this: how far the mean of some channel is from that of the targets, in steps of 8 bits; where
            nobody knows the target of a source, from that of the sources, if they are nearer.

    Raises:
        UserError: a bound is out of its range.
    """

    def __init__(self, identity: float = 0.05, variety: float = 0.1, drift: float = 16.0) -> None:
        within("Alarms.identity", identity, least=0, below=1)
        within("Alarms.variety", variety, least=0, below=1)
        within("Alarms.drift", drift, above=0)
        self.bounds = {"identity": identity, "variety": variety, "drift": drift}
        self.ringing: list[str] = []
        self.events: list[str] = []

    def on_train_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self._record(trainer)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self.places = trainer.datamodule.batches(trainer.datamodule.val_images)
        self.symptoms = Symptoms(trainer.datamodule is None or trainer.datamodule.in_pairs)

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: AdversarialModule, outputs: Sampled, batch: Any, batch_idx: int, *_: Any
    ) -> None:
        if watches(trainer):
            self.symptoms.add(outputs, self.places[batch_idx * trainer.world_size + trainer.global_rank])

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        if watches(trainer):
            found = self.symptoms.finish(trainer.strategy.root_device)
            for name, value in trainer.strategy.broadcast(found).items():
                pl_module.log(f"alarm/{name}", value)
                self._judge(name, value, pl_module.kimg)
            self._record(trainer)

    def _judge(self, name: str, value: float, kimg: float) -> None:
        """Says that an alarm begins or ends."""
        bound, shows = self.bounds[name], SHOWS[name].format(value)
        rings, side = (value > bound, "above") if name == "drift" else (value < bound, "below")
        if rings and name not in self.ringing:
            self.ringing.append(name)
            self._tell(f"{name} at {kimg:.1f} kimg: {shows}, {side} {bound:g}: {MEANS[name]}")
        elif not rings and name in self.ringing:
            self.ringing.remove(name)
            self._tell(f"{name} is over at {kimg:.1f} kimg: {shows}")

    def _tell(self, event: str) -> None:
        self.events.append(event)
        say(f"alarm    {event}")

    def _record(self, trainer: Trainer) -> None:
        if trainer.is_global_zero:
            record(Path(trainer.default_root_dir) / RECORD, self.events)

    def state_dict(self) -> dict[str, Any]:
        return {"ringing": self.ringing, "events": self.events}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.ringing, self.events = list(state_dict["ringing"]), list(state_dict["events"])


def watches(trainer: Trainer) -> bool:
    """Whether a validation is one of a training."""
    return trainer.state.fn == "fit" and not trainer.sanity_checking
