"""The game that is audited: copies of it are played, by the engine itself, on a few items of its own data."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader

from ganlit.errors import UserError, reason
from ganlit.losses.weight import Weight
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS, Player

FEW = 6
"""Items of a check's batch: two halves of three, a number that is seldom the size of something else."""

QUIET: dict[str, Any] = dict.fromkeys(
    ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary", "use_distributed_sampler"), False
)

Turn = Callable[[], bool]
"""What a player does in its turn; whether its step was taken."""


@dataclass(frozen=True)
class Game:
    """What a configuration describes.

    Args:
        module: as it was built; it is never played itself.
        batch: the first of the data's stream, as networks take it, on the CPU.
        device: where it would be trained.
        precision: in which it would be trained.
        joined: whether batch normalisation is to see the batches of all processes.
    """

    module: AdversarialModule
    batch: Any
    device: torch.device
    precision: str = "32-true"
    joined: bool = False

    @property
    def weight(self) -> Weight | None:
        """How much the adversarial term counts, of a task that says so."""
        found = getattr(self.module, "weight", None)
        return found if isinstance(found, Weight) else None

    @property
    def players(self) -> list[Player]:
        """Who is to play: no discriminator whose verdict never counts."""
        judged = self.weight is None or self.weight.weight > 0
        return [player for player in PLAYERS if judged or player == "generator"]

    @cached_property
    def frozen(self) -> set[str]:
        """What no step may move, by its name in the module; an average's is not among it."""
        still = {name for name, each in self.module.named_parameters() if not each.requires_grad}
        averages = tuple(f"{name}." for name, part in self.module.named_modules() if getattr(part, "follows", False))
        return {name for name in still | self.module.frozen.names if not name.startswith(averages)}

    def trained(self, player: Player) -> list[str]:
        """The parameters of a player that are to learn, by their names in it."""
        names = (name for name, _ in getattr(self.module, player).named_parameters())
        return [name for name in names if f"{player}.{name}" not in self.frozen]

    @cached_property
    def few(self) -> Any:
        """A small batch, of an even number of items where there are two, whose classes stand in every half of it."""
        count = min(FEW, len(self.batch[0]) // 2 * 2 or 1)
        label = getattr(self.batch, "label", None)
        alike = torch.arange(count) if label is None else label.argsort(stable=True)[:count]
        chosen = torch.cat([alike[::2], alike[1::2]])
        return type(self.batch)(*(None if part is None else part[chosen] for part in self.batch))

    def clock(self, images: int) -> int:
        """Images seen where both players play, every regularizer is due at once, and the verdict counts in full.

        Args:
            images: in a step.
        """
        begin = 0.0 if self.weight is None else 1000 * (self.weight.start + self.weight.ramp)
        lazy = [*self.module.regularizers, *self.module.generator_regularizers]
        period = images * self.module.n_critic * math.lcm(*(each.every for each in lazy))
        return math.ceil(begin / period) * period

    def staged(self, module: AdversarialModule) -> AdversarialModule:
        """A copy on its device, ready to be asked for the terms of a few items."""
        images = len(self.few[0])
        module.images_seen, module.images = self.clock(images), images
        module.step = module.images_seen // images
        return module.to(self.device).train()

    def copy(self) -> AdversarialModule:
        """The game as it begins, to be played and thrown away.

        Raises:
            UserError: its networks cannot be copied.
        """
        try:
            module = deepcopy(self.module)
        except Exception as error:
            raise UserError(
                f"the networks cannot be copied ({reason(error)}), as an audit has to: mend them."
            ) from error
        module.keep_still(module.frozen.names)
        return module


def play(
    module: AdversarialModule,
    batches: Sequence[Any],
    clock: int,
    device: torch.device,
    precision: str = "32-true",
    **options: Any,
) -> Trainer:
    """Plays one step on each batch, as `fit` does."""
    module.images_seen = clock
    place = {"accelerator": "cpu"} if device.type == "cpu" else {"accelerator": "gpu", "devices": [device.index or 0]}
    trainer = Trainer(max_epochs=1, precision=precision, **(place | QUIET | options))
    trainer.fit(module, DataLoader(list(batches), batch_size=None))
    return trainer


def watch(module: AdversarialModule, around: Callable[[Player, Turn], bool]) -> AdversarialModule:
    """Has every turn of a module go through a function, which is given the player and the turn itself."""
    whole = module.play

    def turn(player: Player, batch: Any) -> bool:
        return around(player, lambda: whole(player, batch))

    module.play = turn
    return module
