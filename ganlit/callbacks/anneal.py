"""Schedules on the one clock."""

from __future__ import annotations

import math
from typing import Any, Literal

from lightning.pytorch import Callback, Trainer

from ganlit.callbacks.budget import Budget
from ganlit.compute.console import say
from ganlit.errors import UserError, within
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS, Player


def remaining(kimg: float, end: float, share: float) -> float:
    """What is left of the last `share` of the way to `end`: 1 up to where that share begins, 0 from `end` on."""
    return min(1.0, max(0.0, (end - kimg) / (end * share)))


def cosine(left: float) -> float:
    """Half a cosine, level at both ends, as in the schedules of R3GAN: Huang et al., arXiv 2501.05441."""
    return (1 - math.cos(math.pi * left)) / 2


def mix(base: float, to: float, kept: float) -> float:
    """`base` at 1 and `to` at 0, both exactly, and in proportion between them."""
    return kept * base + (1 - kept) * to


def geometric(base: float, to: float, kept: float) -> float:
    """The same by factors: as much less with each kimg."""
    return base**kept * to ** (1 - kept)


# How much of the base is kept, by how much is left; a step drops it as soon as the share has begun.
SHAPES = {"linear": float, "cosine": cosine, "step": math.floor, "exponential": float}

OF_PLAYERS = ("lr", "beta2")


def read(what: str, holder: Any) -> Any:
    """A quantity of a parameter group or a module; None where it has no such thing."""
    if what == "lr":
        return holder["lr"]
    if what == "beta2":
        return holder.get("betas", (None, None))[1]
    return getattr(holder, "weight" if what in ("gamma", "adversarial") else what, None)


def write(what: str, holder: Any, value: float) -> None:
    match what:
        case "lr":
            holder["lr"] = value
        case "beta2":
            holder["betas"] = (holder["betas"][0], value)
        case "gamma" | "adversarial":
            holder.weight = value
        case "half_life":
            holder.half_life = value
        case "p":
            holder.p.fill_(value)


class Anneal(Callback):
    """Leads a quantity from its configured value to another one over the last part of the way to `end`.

    The value is a function of the configuration and kimg alone; it is set before each step, and logged.

    Args:
        end: kimg from which on the quantity is `to`: the budget, `${kimg}`, or less.
        what: `lr` or `beta2` of the optimizers; `gamma`, the weight of each of the discriminator's regularizers;
            `adversarial`, that of the adversarial term of a generator that takes data; `half_life` of the EMA, in kimg;
            `p` of the augmentation, which then does not adapt by itself.
        to: the value in the end.
        share: of the way to `end`, over which the quantity changes; until then it is as configured.
        shape: `linear`, `cosine`, `step`, which is at `to` as soon as the share has begun, or `exponential`, which
            falls by the same factor each kimg.
        player: whose `lr` or `beta2`; both players' by default.
    """

    def __init__(
        self,
        end: float,
        what: Literal["lr", "beta2", "gamma", "adversarial", "half_life", "p"] = "lr",
        to: float = 0.0,
        share: float = 0.5,
        shape: Literal["linear", "cosine", "step", "exponential"] = "linear",
        player: Player | None = None,
    ) -> None:
        within("Anneal.end", end, above=0)
        within("Anneal.share", share, above=0, most=1)
        within("Anneal.to", to, least=0, **{"beta2": {"below": 1}, "p": {"most": 1}}.get(what, {}))
        if shape == "exponential" and to == 0:
            raise UserError("Anneal.to is 0, which no factor leads to: set it above 0, or Anneal.shape to linear.")
        if player is not None and what not in OF_PLAYERS:
            raise UserError(f"Anneal: player is {player}, but {what} belongs to neither player: leave player out.")
        self.end, self.what, self.to, self.share, self.shape, self.player = end, what, to, share, shape, player

    def __str__(self) -> str:
        return f"Anneal(end={self.end:g}, what={self.what}, to={self.to:g}, player={self.player})"

    def value(self, kimg: float, base: float) -> float:
        """What has become of the configured value `base`."""
        between = geometric if self.shape == "exponential" else mix
        return between(base, self.to, SHAPES[self.shape](remaining(kimg, self.end, self.share)))

    def setup(self, trainer: Trainer, pl_module: AdversarialModule, stage: str) -> None:
        if stage == "fit" and self.what not in OF_PLAYERS:  # a checkpoint is restored into the module after this
            self._read(pl_module)

    def on_fit_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        for other in trainer.callbacks:
            rival = isinstance(other, Anneal) and other is not self and other.what == self.what
            if rival and (other.player == self.player or None in (other.player, self.player)):
                raise UserError(f"{self} contradicts {other}: remove one of them from trainer.callbacks.")
        length = next((other.kimg for other in trainer.callbacks if isinstance(other, Budget)), self.end)
        if length > self.end and trainer.is_global_zero:
            say(
                f"{self} is over at {self.end:g} of {length:g} kimg: {self.what} stays at {self.to:g} from there on, "
                "unless its end is set to '${kimg}', which follows the run"
            )
        if self.what in OF_PLAYERS:  # new optimizers; a checkpoint is restored into them after this
            self._read(pl_module)

    def on_train_batch_start(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        for (owner, holder), base in zip(self._holders(pl_module), self.bases, strict=True):
            value = self.value(pl_module.kimg, base)
            if self.what == "lr":
                value *= pl_module.adjusted.get(f"{owner}/lr", 1.0)
            write(self.what, holder, value)
            if pl_module.row_due:
                pl_module.log(f"schedule/{owner.lower()}/{self.what}", value)

    def teardown(self, trainer: Trainer, pl_module: AdversarialModule, stage: str) -> None:
        if stage == "fit":  # a second fit of the module starts from the configured values, too
            for (_, holder), base in zip(self._holders(pl_module), self.bases, strict=True):
                write(self.what, holder, base)

    def _holders(self, module: AdversarialModule) -> list[tuple[str, Any]]:
        """What holds the quantity, each after its name; asked at each step, as restored optimizers have new groups."""
        if self.what in OF_PLAYERS:
            players = dict(zip(PLAYERS, module.trainer.optimizers, strict=True))
            chosen = [self.player] if self.player else PLAYERS
            return [(player, group) for player in chosen for group in players[player].param_groups]
        modules = {
            "gamma": module.regularizers,
            "adversarial": [getattr(module, "weight", module)],
            "half_life": [module.ema],
            "p": [module.augment],
        }[self.what]
        return [(type(each).__name__, each) for each in modules]

    def _read(self, module: AdversarialModule) -> None:
        found = [(owner, read(self.what, holder)) for owner, holder in self._holders(module)]
        for owner, base in found or [("model.init_args.regularizers", None)]:
            if base is None:
                raise UserError(f"Anneal: what is {self.what}, but {owner} has none: mend that or remove this Anneal.")
        self.bases = [float(base) for _, base in found]
