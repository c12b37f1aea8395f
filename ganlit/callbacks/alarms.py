"""What is told at once of a training: that it is ill, or its generator of data changes nothing, or drifts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer

from ganlit.callbacks.reactions import Occasion, Reaction, Tell
from ganlit.callbacks.recovery import return_to_best
from ganlit.callbacks.signals import Signals
from ganlit.compute.console import say
from ganlit.contracts import Sampled
from ganlit.errors import UserError, nearest, within
from ganlit.metrics.detector import ILLNESSES, detect
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
    """Looks at each validation at its signals, and of a generator that takes data at the first items that it makes.

    What signals tell are the illnesses of `ganlit.metrics.detector`: collapse, won, overfits, divergence, stagnation
    and oscillation. An alarm is told once when it begins and once when it ends, in a sentence that alarms.txt keeps,
    too; while it lasts its name is in state.json. The numbers behind those about data are logged as alarm/identity,
    alarm/variety and alarm/drift. Every run has these alarms; name this class among trainer.callbacks to change bounds
    and reactions.

    Args:
        identity: alarm below this: how far outputs are from sources, as a share of how far targets are from them; where
            these are of one shape and not the same. 0 is no alarm.
        variety: alarm below this: how far outputs are from one another, as a share of how far targets are. 0 is none.
        drift: alarm above this: how far the mean of some channel is from that of the targets, in steps of 8 bits; where
            nobody knows the target of a source, from that of the sources, if they are nearer.
        reactions: what the run does when an alarm of a name begins, one thing or a list: Tell (which it does of all
            others), Stop, GoBack, Slow (a player's learning rate), Raise (a regularizer's weight) or Strengthen (the
            augmentation).

    Raises:
        UserError: a bound is out of its range, or there is no alarm of a name.
    """

    def __init__(
        self,
        identity: float = 0.05,
        variety: float = 0.1,
        drift: float = 16.0,
        reactions: dict[str, Reaction | list[Reaction]] | None = None,
    ) -> None:
        within("Alarms.identity", identity, least=0, below=1)
        within("Alarms.variety", variety, least=0, below=1)
        within("Alarms.drift", drift, above=0)
        self.bounds = {"identity": identity, "variety": variety, "drift": drift}
        self.reactions = {name: each if isinstance(each, list) else [each] for name, each in (reactions or {}).items()}
        for name in self.reactions:
            if name not in (known := [*self.bounds, *ILLNESSES]):
                raise UserError(
                    f"Alarms.reactions names {name}: it must be one of {', '.join(known)}{nearest(name, known)}."
                )
        self.ringing: list[str] = []
        self.events: list[str] = []
        self.returns = 0  # times that the run went back
        self.returning = False  # ahead of the next step

    def setup(self, trainer: Trainer, pl_module: AdversarialModule, stage: str) -> None:
        for reaction in (each for chosen in self.reactions.values() for each in chosen if stage == "fit"):
            reaction.check(trainer, pl_module)

    def on_train_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        self._record(trainer)

    def on_train_batch_start(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        if self.returning:
            self.returns += 1
            return_to_best(trainer, pl_module)
            self.ringing = []  # what it went back for may begin again
            self._tell(f"back at {pl_module.kimg:.1f} kimg")
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
                self._judge(trainer, name, value, pl_module.kimg)
            self._detect(trainer, pl_module.kimg)
            self._record(trainer)
            pl_module.log_dict({f"reaction/{name}": value for name, value in pl_module.adjusted.items()})

    def _detect(self, trainer: Trainer, kimg: float) -> None:
        """Says which illnesses begin and end, by the table of signals, of which all ranks have the same."""
        signals = next((each for each in trainer.callbacks if isinstance(each, Signals)), None)
        if signals is None:
            return
        found = {alarm.name: alarm for alarm in detect(signals.rows)}
        for name in ILLNESSES:
            if name in found:
                self._begin(trainer, name, f"{name} at {kimg:.1f} kimg: {found[name]}")
            elif name in self.ringing:
                self._end(name, f"{name} is over at {kimg:.1f} kimg")

    def _judge(self, trainer: Trainer, name: str, value: float, kimg: float) -> None:
        """Says that an alarm about what is made of data begins or ends."""
        bound, shows = self.bounds[name], SHOWS[name].format(value)
        rings, side = (value > bound, "above") if name == "drift" else (value < bound, "below")
        if rings:
            self._begin(trainer, name, f"{name} at {kimg:.1f} kimg: {shows}, {side} {bound:g}: {MEANS[name]}")
        elif name in self.ringing:
            self._end(name, f"{name} is over at {kimg:.1f} kimg: {shows}")

    def _begin(self, trainer: Trainer, name: str, event: str) -> None:
        if name in self.ringing:
            return
        self.ringing.append(name)
        occasion = Occasion(trainer, trainer.lightning_module, event, self.returns)
        told = [event]
        for each in self.reactions.get(name, [Tell()]):  # each finds what those before it have done
            self.returning = each.goes_back(occasion) or self.returning
            told.append(each.act(occasion))
        self._tell("; ".join(filter(None, told)))

    def _end(self, name: str, event: str) -> None:
        self.ringing.remove(name)
        self._tell(event)

    def _tell(self, event: str) -> None:
        self.events.append(event)
        say(f"alarm    {event}")

    def _record(self, trainer: Trainer) -> None:
        if trainer.is_global_zero:
            record(Path(trainer.default_root_dir) / RECORD, self.events)

    @property
    def outlasting(self) -> dict[str, Any]:
        return {"events": self.events, "returns": self.returns, "returning": False}

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("ringing", "events", "returns", "returning")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.ringing, self.events = list(state_dict["ringing"]), list(state_dict["events"])
        self.returns, self.returning = state_dict.get("returns", 0), state_dict.get("returning", False)


def watches(trainer: Trainer) -> bool:
    """Whether a validation is one of a training."""
    return trainer.state.fn == "fit" and not trainer.sanity_checking
