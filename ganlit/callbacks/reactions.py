"""What a run does when an alarm begins: small things that a configuration chooses by the name of the alarm."""

from __future__ import annotations

from abc import ABC, abstractmethod

from lightning.pytorch import Trainer

from ganlit.callbacks.recovery import best_checkpoint
from ganlit.errors import within


class Reaction(ABC):
    """To an alarm that begins; it holds no state, so that a run which goes on has lost none."""

    @abstractmethod
    def act(self, trainer: Trainer, returns: int) -> str:
        """Does it, on all ranks alike, and says what, in the words that end a sentence; "" of nothing.

        Args:
            trainer: of the run.
            returns: times that the run has gone back for an alarm.
        """

    def goes_back(self, trainer: Trainer, returns: int) -> bool:
        """Whether the run shall go on from its best checkpoint instead."""
        return False


class Tell(Reaction):
    """Says it, and nothing else."""

    def act(self, trainer: Trainer, returns: int) -> str:
        return ""


class Stop(Reaction):
    """Ends the run after this validation, as if its length had been reached."""

    def act(self, trainer: Trainer, returns: int) -> str:
        trainer.should_stop = True
        return "the run ends here"


class GoBack(Reaction):
    """Goes on from the best checkpoint with other random numbers; where that was no help, it says so.

    Args:
        attempts: times that the run goes back, at most, over all alarms.

    Raises:
        UserError: that is less than one.
    """

    def __init__(self, attempts: int = 2) -> None:
        within("GoBack.attempts", attempts, least=1)
        self.attempts = attempts

    def act(self, trainer: Trainer, returns: int) -> str:
        if self.goes_back(trainer, returns):
            return f"the run goes back to its best checkpoint, time {returns + 1} of {self.attempts}"
        if trainer.should_stop:
            return "the run ends here anyway"
        if returns >= self.attempts:
            return f"the run has gone back {returns} times, and goes on"
        return "there is no best checkpoint to go back to, and the run goes on"

    def goes_back(self, trainer: Trainer, returns: int) -> bool:
        return not trainer.should_stop and returns < self.attempts and best_checkpoint(trainer).exists()
