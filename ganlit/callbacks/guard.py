"""What a run does when its discriminator ruins what the generator had learnt without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from lightning.pytorch import Callback, Trainer

from ganlit.callbacks.fidelity import Fidelity
from ganlit.callbacks.recovery import has_best, return_to_best
from ganlit.compute.console import say
from ganlit.errors import UserError, within
from ganlit.metrics.measure import METRICS, improves
from ganlit.metrics.protocol import aside, meant, title
from ganlit.records.events import record
from ganlit.tasks.base import AdversarialModule

FIRST = {name: metric.first for name, metric in METRICS.items()} | {"codes": "code-use"}
"""What the first number of a metric is called."""

RECORD = "guard.txt"
"""In the run directory: when the guard had something to say, and what."""


class Guard(Callback):
    """Compares each validation with the last one from before the adversarial term counted, or with the first at all.

    Where the measure has fallen behind by more than the tolerance, that is said, and the term is made to count half:
    again at each validation until the measure is back. With `back` the run also returns to its best checkpoint, so that
    it does not go on from the ruin.

    Args:
        measure: by which ruin is told, as it stands in fidelity.metrics, such as psnr or fid.
        tolerance: what it may lose, in its own units: decibels of psnr, points of fid.
        reaction: tell says it and does nothing; halve; back.
        attempts: times that the run goes back, at most; from then on the term is only halved.

    Raises:
        UserError: a value is out of its range.
    """

    def __init__(
        self,
        measure: str = "psnr",
        tolerance: float = 0.5,
        reaction: Literal["tell", "halve", "back"] = "halve",
        attempts: int = 3,
    ) -> None:
        within("Guard.tolerance", tolerance, least=0)
        within("Guard.attempts", attempts, least=1)
        self.measure, self.tolerance, self.reaction, self.attempts = measure, tolerance, reaction, attempts
        self.before: tuple[float, float] | None = None  # kimg and value ahead of the adversarial term
        self.scale = 1.0
        self.events: list[str] = []
        self.returns = 0  # times that the run went back
        self.returning = False  # ahead of the next step

    def setup(self, trainer: Trainer, pl_module: AdversarialModule, stage: str) -> None:
        if stage != "fit":
            return
        if not hasattr(pl_module, "weight"):
            kind = type(pl_module).__name__
            raise UserError(f"Guard watches a generator that takes data, which {kind} has none of: leave it out.")
        self.fidelity = next((each for each in trainer.callbacks if isinstance(each, Fidelity)), None)
        if self.fidelity is None:
            say("guard    fidelity is null, so nothing is measured and nothing guarded")
        elif self.measure not in self.fidelity.metrics:
            raise UserError(f"Guard.measure is {self.measure}, which is not measured: add it to fidelity.metrics.")

    def on_train_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        pl_module.weight.scale = self.scale
        self._record(trainer)

    def on_train_batch_start(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        if self.returning:
            self._go_back(trainer, pl_module)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        history = self.fidelity.history if trainer.state.fn == "fit" and self.fidelity is not None else []
        found = self._value(history[-1][1]) if history and history[-1][0] == pl_module.kimg else None
        if found is None:
            return
        name, value = found
        if self.before is None or pl_module.kimg <= pl_module.weight.start:
            self.before = pl_module.kimg, value
        elif behind(name, value, self.before[1]) > self.tolerance:
            self._react(trainer, pl_module, name, value)
        pl_module.log("guard/scale", self.scale)

    def _value(self, values: dict[str, float]) -> tuple[str, float] | None:
        """The measure's first number; of reconstructions, unless it is said that they are from the prior."""
        metric, colon, making = self.measure.partition("@")[0].partition(":")
        asked = f"{FIRST.get(metric, metric)}{colon}{making}"
        found = [name for name in values if meant(asked, name) and (colon or not aside(name))]
        nearest = min(found, key=lambda name: len(name.split("/")[0]), default=None)  # psnr is not psnr-y, beside it
        return None if nearest is None else (nearest, values[nearest])

    def _react(self, trainer: Trainer, module: AdversarialModule, name: str, value: float) -> None:
        kimg, before = self.before
        trouble = (
            f"{title(name)} is {value:.4g} at {module.kimg:.1f} kimg, {behind(name, value, before):.3g} behind the "
            f"{before:.4g} of {kimg:.1f} kimg"
        )
        if self.reaction == "tell":
            self._tell(trainer, f"{trouble}: lower adversarial.weight, or give the discriminator a longer lead")
            return
        self.scale /= 2
        module.weight.scale = self.scale
        possible = not trainer.should_stop and self.returns < self.attempts and has_best(trainer)
        self.returning = self.reaction == "back" and possible
        where = ", and the run goes back to its best checkpoint" if self.returning else ""
        self._tell(trainer, f"{trouble}: the adversarial term counts {self.scale:g} of its weight from here on{where}")

    def _go_back(self, trainer: Trainer, module: AdversarialModule) -> None:
        self.returns += 1
        return_to_best(trainer, module)
        self._tell(trainer, f"back at {module.kimg:.1f} kimg, time {self.returns} of {self.attempts}")

    def _tell(self, trainer: Trainer, event: str) -> None:
        self.events.append(event)
        say(f"guard    {event}")
        self._record(trainer)

    def _record(self, trainer: Trainer) -> None:
        if trainer.is_global_zero:
            record(Path(trainer.default_root_dir) / RECORD, self.events)

    def teardown(self, trainer: Trainer, pl_module: AdversarialModule, stage: str) -> None:
        if stage == "fit":  # a second fit of the module begins with the whole weight
            pl_module.weight.scale = 1.0

    @property
    def outlasting(self) -> dict[str, Any]:
        return {**self.state_dict(), "returning": False}

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("before", "scale", "events", "returns", "returning")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, value in state_dict.items():
            setattr(self, name, value)
        self.events = list(self.events)


def behind(name: str, value: float, before: float) -> float:
    """How much worse a value of the number of this id is than it was; negative where it is better."""
    return value - before if improves(name, 0.0, 1.0) else before - value
