"""When to stop: where what is measured has become no better for a while, by more than it varies anyway."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from lightning.pytorch import Callback, Trainer

from ganlit.callbacks.fidelity import Fidelity
from ganlit.compute.console import say
from ganlit.errors import UserError, within
from ganlit.metrics.protocol import title
from ganlit.metrics.trend import best_of, last_better, spread
from ganlit.records.events import record
from ganlit.tasks.base import AdversarialModule

RECORD = "patience.txt"
"""In the run directory: why the run has ended before its length."""


class Wait(NamedTuple):
    """How long a score has not become better."""

    name: str  # its id
    validations: int  # measured since it last did
    since: float  # kimg of that one
    best: tuple[float, float]  # kimg and value
    margin: float  # that a better value must be better by


class Patience(Callback):
    """Ends a run whose score has become no better for so many measured validations, by more than its interval.

    The interval is what the score varies by from one validation to the next, see `spread`, so many times: 1.96 are that
    of 95 %. What is better by less counts as no better, though the best checkpoint follows it. The run ends as if its
    length had been reached, with its best checkpoint where it always is; to go on, resume it without this.

    Args:
        validations: measured ones, in a row.
        interval: in standard deviations of the score.
        least: ahead of that many kimg nothing is ended, as where a learning rate is still to fall.

    Raises:
        UserError: a number means nothing, or nothing is measured.
    """

    def __init__(self, validations: int = 10, interval: float = 1.96, least: float = 0.0) -> None:
        within("Patience.validations", validations, least=1)
        within("Patience.interval", interval, least=0)
        within("Patience.least", least, least=0)
        self.validations, self.interval, self.least = validations, interval, least

    def setup(self, trainer: Trainer, pl_module: AdversarialModule, stage: str) -> None:
        self.fidelity = next((each for each in trainer.callbacks if isinstance(each, Fidelity)), None)
        if self.fidelity is None:
            raise UserError("Patience waits for a score, and fidelity is null: measure something, or leave it out.")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        history = self.fidelity.history
        if not history or history[-1][0] != pl_module.kimg or pl_module.kimg < self.least:
            return
        wait = waited(history, self.interval)
        if wait is not None and wait.validations >= self.validations:
            kimg, value = wait.best
            told = (
                f"{title(wait.name)} has not become better by more than {wait.margin:.3g} for {wait.validations} "
                f"validations, since {wait.since:.1f} kimg: the best was {value:.4g} at {kimg:.1f} kimg, kept as "
                "checkpoints/best.ckpt, and the run ends here"
            )
            say(f"patience {told}")
            pl_module.end(f"patience: {told}")
            if trainer.is_global_zero:
                record(Path(trainer.default_root_dir) / RECORD, [f"at {pl_module.kimg:.1f} kimg: {told}"])


def waited(history: list[tuple[float, dict[str, Any]]], interval: float) -> Wait | None:
    """How long the score of a history has not become better; None while nobody knows its spread.

    The score is each validation's first number; what was measured under another id than the latest is no match for it.

    Args:
        history: kimg and values of each validation.
        interval: by how many of its spreads a score must be better to count.
    """
    name = next(iter(history[-1][1]), None) if history else None
    points = [(kimg, values[name]) for kimg, values in history if name in values]
    values = [value for _, value in points]
    noise = spread(values)
    if name is None or noise is None:
        return None
    place = last_better(name, values, interval * noise)
    return Wait(name, len(values) - 1 - place, points[place][0], points[best_of(name, values)], interval * noise)
