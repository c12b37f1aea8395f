"""What a run does when an alarm begins: small things that a configuration chooses by the name of the alarm."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from lightning.pytorch import Trainer

from ganlit.callbacks.anneal import Anneal
from ganlit.callbacks.recovery import has_best
from ganlit.errors import UserError, nearest, within
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS, Player


class Occasion(NamedTuple):
    """On which a run reacts.

    Args:
        trainer: of the run.
        module: that is trained.
        event: the alarm, in a sentence.
        returns: times that the run has gone back for an alarm.
    """

    trainer: Trainer
    module: AdversarialModule
    event: str
    returns: int


class Reaction(ABC):
    """To an alarm that begins; it holds no state, so that a run which goes on has lost none."""

    @abstractmethod
    def act(self, occasion: Occasion) -> str:
        """Does it, on all ranks alike, and says what, in the words that end a sentence; "" of nothing."""

    def goes_back(self, occasion: Occasion) -> bool:
        """Whether the run shall go on from its best checkpoint instead."""
        return False

    def check(self, trainer: Trainer, module: AdversarialModule) -> None:  # noqa: B027, most have nothing to refuse
        """Refuses, with a UserError, a run in which there is nothing that it could change."""


class Tell(Reaction):
    """Says it, and nothing else."""

    def act(self, occasion: Occasion) -> str:
        return ""


class Stop(Reaction):
    """Ends the run after this validation, as if its length had been reached; its record says why."""

    def act(self, occasion: Occasion) -> str:
        if occasion.trainer.should_stop:
            return "the run ends here anyway"
        occasion.module.end(occasion.event)
        return "the run ends here"


class GoBack(Reaction):
    """Goes on from the best checkpoint with other random numbers; where that was no help, it says so.

    What other reactions have changed stays changed.

    Args:
        attempts: times that the run goes back, at most, over all alarms.

    Raises:
        UserError: that is less than one.
    """

    def __init__(self, attempts: int = 2) -> None:
        within("GoBack.attempts", attempts, least=1)
        self.attempts = attempts

    def act(self, occasion: Occasion) -> str:
        returns = occasion.returns
        if self.goes_back(occasion):
            return f"the run goes back to its best checkpoint, time {returns + 1} of {self.attempts}"
        if occasion.trainer.should_stop:
            return "the run ends here anyway"
        if returns >= self.attempts:
            return f"the run has gone back {returns} times, and goes on"
        return "there is no best checkpoint to go back to, and the run goes on"

    def goes_back(self, occasion: Occasion) -> bool:
        possible = not occasion.trainer.should_stop and occasion.returns < self.attempts
        return possible and has_best(occasion.trainer)


class Slow(Reaction):
    """Lowers a player's learning rate, also one that an `Anneal` leads.

    Args:
        player: whose.
        factor: that the rate is multiplied by, each time that such an alarm begins.
        least: of the rate without reactions so much is left, at least.

    Raises:
        UserError: a number is not between 0 and 1.
    """

    def __init__(self, player: Player = "discriminator", factor: float = 0.5, least: float = 0.1) -> None:
        within("Slow.factor", factor, above=0, below=1)
        within("Slow.least", least, above=0, most=1)
        self.player, self.factor, self.least = player, factor, least

    def act(self, occasion: Occasion) -> str:
        module, name = occasion.module, f"{self.player}/lr"
        before = module.adjusted.get(name, 1.0)
        after = min(before, max(before * self.factor, self.least))
        rate = module.trainer.optimizers[PLAYERS.index(self.player)].param_groups[0]["lr"]
        whose = f"the learning rate of the {self.player}"
        if after == before:
            return f"{whose} stays at {rate:.4g}, the least"
        module.adjust({name: after})
        return f"{whose} {rate:.4g} -> {rate * after / before:.4g}"


class Raise(Reaction):
    """Lets a regularizer, of either player, weigh more.

    Args:
        regularizer: its class, as it is called in the configuration.
        factor: that the weight is multiplied by, each time that such an alarm begins.
        most: times the weight without reactions, at most.

    Raises:
        UserError: a number is less than 1.
    """

    def __init__(self, regularizer: str = "R1", factor: float = 2.0, most: float = 8.0) -> None:
        within("Raise.factor", factor, above=1)
        within("Raise.most", most, least=1)
        self.regularizer, self.factor, self.most = regularizer, factor, most

    def check(self, trainer: Trainer, module: AdversarialModule) -> None:
        known = [type(each).__name__ for each in module.penalizing]
        if self.regularizer not in known:
            there = nearest(self.regularizer, known) or f"; there are {', '.join(known) or 'none'}"
            raise UserError(f"Raise.regularizer is {self.regularizer}, which regularizes neither player{there}.")
        if not self._weight(module):
            raise UserError(f"Raise: the weight of {self.regularizer} is 0, of which no multiple is more: set one.")

    def act(self, occasion: Occasion) -> str:
        module, name = occasion.module, f"{self.regularizer}/weight"
        before = module.adjusted.get(name, 1.0)
        after = max(before, min(before * self.factor, self.most))
        weight = self._weight(module)
        if after == before:
            return f"the weight of {self.regularizer} stays at {weight * before:.4g}, the most"
        module.adjust({name: after})
        return f"the weight of {self.regularizer} {weight * before:.4g} -> {weight * after:.4g}"

    def _weight(self, module: AdversarialModule) -> float:
        """What it would be without reactions."""
        return next(each.weight for each in module.penalizing if type(each).__name__ == self.regularizer)


class Strengthen(Reaction):
    """Lets the augmentation be stronger: its probability p is no less from here on, whatever it adapts to.

    Args:
        by: that p is raised by, each time that such an alarm begins.
        most: that p is raised to, at most.

    Raises:
        UserError: a number is no probability.
    """

    def __init__(self, by: float = 0.1, most: float = 0.8) -> None:
        within("Strengthen.by", by, above=0, most=1)
        within("Strengthen.most", most, above=0, most=1)
        self.by, self.most = by, most

    def check(self, trainer: Trainer, module: AdversarialModule) -> None:
        if not hasattr(module.augment, "least"):
            kind = type(module.augment).__name__
            raise UserError(f"Strengthen: model.init_args.augment is {kind}, which has no strength: name ADA.")
        if any(isinstance(each, Anneal) and each.what == "p" for each in trainer.callbacks):
            raise UserError("Strengthen: an Anneal of p among trainer.callbacks leads it anyway: leave one out.")

    def act(self, occasion: Occasion) -> str:
        module = occasion.module
        before = float(module.augment.p)
        after = max(before, min(before + self.by, self.most))
        if after == before:
            return f"the augmentation's p stays at {before:.3g}, the most"
        module.adjust({"augment/p": after})
        return f"the augmentation's p {before:.3g} -> {after:.3g}"
