"""Ends a trial of a sweep that is worse than the others, by what all have written down: nobody has to be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer

from ganlit.callbacks.fidelity import Fidelity
from ganlit.compute.console import say
from ganlit.errors import UserError
from ganlit.metrics.columns import choose
from ganlit.metrics.protocol import meant
from ganlit.metrics.pruning import EarlyTerminate, Ruling
from ganlit.records.numbers import Damaged, rows
from ganlit.tasks.base import AdversarialModule

FILE = "metrics.csv"


class EarlyTermination(Callback):
    """Judges a run at its validations by its metrics.csv and those of the trials beside it, which may be running.

    The others are the directories beside its own that are called by a number, as a sweep calls them. Files alone
    decide: a row that one of them is just writing does not count yet, and what was measured under another protocol id
    is no match. A run that is ended has saved, and its generator can be sampled; it is not tested.

    Args:
        rule: by which it is judged.
    """

    def __init__(self, rule: EarlyTerminate) -> None:
        self.rule = rule
        self.judged = 0  # values of the metric when that was last done
        self.looked: float | None = None  # kimg of the measured validation after which this process last looked
        self.unclear: str | None = None  # why nobody knows which numbers are meant, told once

    def setup(self, trainer: Trainer, pl_module: AdversarialModule, stage: str) -> None:
        self.fidelity = next((each for each in trainer.callbacks if isinstance(each, Fidelity)), None)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        clock = measured(self.rule.metric, [] if self.fidelity is None else self.fidelity.history)
        if clock is not None and clock == self.looked:  # on all ranks alike
            return
        self.looked = clock
        found = self.look(Path(trainer.default_root_dir)) if trainer.is_global_zero else None
        self.judged, ruling = trainer.strategy.broadcast(found)
        if ruling is not None and not trainer.should_stop:
            told = f"{self.rule.metric} {ruling.value:.4g} at {pl_module.kimg:.4g} kimg, {ruling}"
            say(f"early    {told}: the run ends here")
            pl_module.end(told, "stopped early")

    def look(self, folder: Path) -> tuple[int, Ruling | None]:
        """How many values of the run in a directory have been judged by now, and why it is to end, if it is."""
        own = read(folder)
        column = self._column(folder, own)
        values = numbers(own, column)
        count = self.rule.judges(len(values), self.judged)
        if column is None or count is None:
            return self.judged, None
        others = [numbers(found, column) for found in map(read, beside(folder))]
        return len(values), self.rule.rule(values, others, count)

    def _column(self, folder: Path, own: list[dict[str, str]]) -> str | None:
        """The numbers that are meant; None where nobody knows, as ahead of the first validation."""
        try:
            return choose(self.rule.metric, list(own[0]), folder / FILE) if own else None
        except UserError as error:
            if self.unclear is None:
                self.unclear = str(error)
                say(f"early    nothing is ended as long as {self.unclear}")
            return None

    def state_dict(self) -> dict[str, Any]:
        return {"judged": self.judged}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.judged = state_dict["judged"]


def measured(metric: str, history: list[tuple[float, dict[str, Any]]]) -> float | None:
    """When Fidelity has last measured, in kimg; None where the metric is none of its numbers, as far as is known."""
    names = {name for _, values in history for name in values}
    return history[-1][0] if any(metric == name or meant(metric, name) for name in names) else None


def beside(folder: Path) -> list[Path]:
    """The directories of the other trials, in the order of their numbers."""
    found = {int(path.name): path for path in folder.absolute().parent.iterdir() if path.name.isdecimal()}
    return [found[number] for number in sorted(found) if found[number].name != folder.name]


def read(folder: Path) -> list[dict[str, str]]:
    """The rows of a run, none where they are damaged: another's is its own trouble, and of ours its logger tells."""
    try:
        return rows(folder / FILE)
    except Damaged:
        return []


def numbers(found: list[dict[str, str]], column: str | None) -> list[float]:
    """The values in a column of rows, those that are not finite, too."""
    return [float(text) for row in found if (text := row.get(column or "", ""))]
