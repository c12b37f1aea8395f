"""The mechanics of two players, whatever they play for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.cli import OptimizerCallable
from torch import Tensor, nn

from ganlit.augment.base import Augment
from ganlit.contracts import Critic, Sampled, Terms, Verdict
from ganlit.ema import EMA
from ganlit.losses.base import AdversarialLoss
from ganlit.regularizers.base import Regularizer

Player = Literal["discriminator", "generator"]
PLAYERS: tuple[Player, Player] = ("discriminator", "generator")


def stateless_seed(*key: int) -> int:
    """A seed that is a pure function of its key, such as (seed, rank, images seen): nothing to save or to lose."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0])


class AdversarialModule(LightningModule, ABC):
    """Trains a generator against a discriminator under manual optimization.

    A task adds three methods, `discriminator_terms`, `generator_terms` and `sample`; the networks, losses and the rest
    are given to it. The one clock is `images_seen`: real images that the discriminator has seen, over all ranks.

    Args:
        generator: the network that is trained, averaged and sampled.
        discriminator: its opponent.
        loss: the objectives of both players.
        generator_optimizer: built on the generator's parameters.
        discriminator_optimizer: built on the discriminator's parameters.
        regularizers: further terms of the discriminator's objective.
        augment: random transform in front of the discriminator; none by default.
        ema: builds the average of the generator.
        seed: of latents, noise and augmentations; set by the top-level key `seed`.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        loss: AdversarialLoss,
        generator_optimizer: OptimizerCallable,
        discriminator_optimizer: OptimizerCallable,
        regularizers: list[Regularizer] | None = None,
        augment: Augment | None = None,
        ema: Callable[[nn.Module], EMA] = EMA,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        # Two-dimensional convolutions are fastest with the channels last, on the CPU by far.
        self.generator = generator.to(memory_format=torch.channels_last)
        self.discriminator = discriminator.to(memory_format=torch.channels_last)
        self.ema = ema(self.generator)
        self.loss = loss
        self.regularizers = nn.ModuleList(regularizers or [])
        self.augment = augment or nn.Identity()
        self.optimizer_factories = {"discriminator": discriminator_optimizer, "generator": generator_optimizer}
        self.seed = seed
        self.images_seen = 0

    @property
    def kimg(self) -> float:
        """Thousands of real images seen."""
        return self.images_seen / 1000

    @abstractmethod
    def discriminator_terms(self, batch: Any) -> Terms:
        """The named terms whose sum the discriminator minimises."""

    @abstractmethod
    def generator_terms(self, batch: Any) -> Terms:
        """The named terms whose sum the generator minimises."""

    @abstractmethod
    def sample(self, batch: Any) -> Sampled:
        """The EMA generator's answer to a batch, with latents from torch's random stream."""

    def training_step(self, batch: Any, batch_idx: int) -> None:
        torch.manual_seed(stateless_seed(self.seed, self.global_rank, self.images_seen))
        images = len(batch[0]) * self.trainer.world_size
        self.step = self.images_seen // images
        for player in PLAYERS:
            self.play(player, batch)
        self.images_seen += images
        self.ema.update(self.generator, self.images_seen, images)
        self.log("kimg", self.kimg)

    def play(self, player: Player, batch: Any) -> None:
        """One step of one player: its terms, their gradient, its optimizer."""
        optimizer = self.optimizers()[PLAYERS.index(player)]
        for other in PLAYERS:
            getattr(self, other).requires_grad_(other == player)
        terms = getattr(self, f"{player}_terms")(batch)
        optimizer.zero_grad()
        self.manual_backward(torch.stack(list(terms.values())).sum())
        optimizer.step()
        self.log_dict({f"{player}/{name}": value.detach() for name, value in terms.items()})

    def penalties(self, verdict: Verdict) -> Terms:
        """The regularizers that are due at this step, named by their class.

        Called before the verdict's logits are first used, since it asks the images for a gradient.
        """
        due = [regularizer for regularizer in self.regularizers if regularizer.due(self.step)]
        if due:
            verdict.real = verdict.real.detach().requires_grad_()
            verdict.fake = verdict.fake.detach().requires_grad_()
        return {type(regularizer).__name__.lower(): regularizer.term(verdict) for regularizer in due}

    def critic(self, *conditions: Tensor) -> Critic:
        """The only door to the discriminator: augmentation first, then the images with their conditions."""
        return lambda images: self.discriminator(self.augment(images), *conditions)

    def validation_step(self, batch: Any, batch_idx: int) -> Sampled:
        """The same latents at every validation, whatever was trained before it."""
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(stateless_seed(self.seed, self.global_rank, batch_idx))
            return self.sample(batch)

    def test_step(self, batch: Any, batch_idx: int) -> Sampled:
        return self.validation_step(batch, batch_idx)

    def on_validation_epoch_end(self) -> None:
        self.log("kimg", self.kimg)

    def on_test_epoch_end(self) -> None:
        self.log("kimg", self.kimg)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        return [self.optimizer_factories[player](getattr(self, player).parameters()) for player in PLAYERS]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["images_seen"] = self.images_seen

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.images_seen = checkpoint["images_seen"]
