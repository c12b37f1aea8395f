"""The mechanics of two players, whatever they play for."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from contextlib import nullcontext
from typing import Any

import torch
from lightning.pytorch.cli import OptimizerCallable
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from ganlit.augment.base import Augment, Unaugmented
from ganlit.compute.strategy import average_over_ranks
from ganlit.compute.twice import Twice
from ganlit.contracts import Critic, Sampled, Terms, Verdict, over_networks
from ganlit.ema import EMA
from ganlit.errors import UserError, within
from ganlit.losses.base import AdversarialLoss
from ganlit.losses.regularizers.base import GeneratorRegularizer, Regularizer
from ganlit.tasks.clocked import PLAYERS, ClockedModule, Player
from ganlit.tasks.frozen import Frozen, frozen_by_themselves
from ganlit.tasks.step import channels_last, first_not_finite, fused, micro_batches, reseed, stateless_seed


class AdversarialModule(ClockedModule, ABC):
    """Trains a generator against a discriminator under manual optimization.

    A task adds three methods, `discriminator_terms`, `generator_terms` and `sample`; the networks, losses and the rest
    are given to it.

    The step is the same mathematics on one process or several, in one batch or accumulated: gradients, terms and the
    buffers of both networks are averaged over ranks at the end of each player's turn, so that all ranks hold the same.
    Only what a network computes from its own batch differs: minibatch standard deviation, and batch normalisation
    unless `trainer.sync_batchnorm` is on, see one rank's micro-batch.

    Args:
        generator: the network that is trained, averaged and sampled.
        discriminator: its opponent.
        loss: the objectives of both players.
        generator_optimizer: built on the generator's parameters.
        discriminator_optimizer: built on the discriminator's parameters.
        regularizers: further terms of the discriminator's objective.
        generator_regularizers: further terms of the generator's.
        augment: random transform in front of the discriminator; none by default.
        ema: builds the average of the generator.
        n_critic: steps of the discriminator, each on a batch of its own, to one of the generator, while both play.
        accumulate: micro-batches into which each rank cuts its share of the batch, to fit its memory.
        generator_clip: largest norm of the generator's gradient; longer ones are scaled down.
        discriminator_clip: the same for the discriminator.
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
        generator_regularizers: list[GeneratorRegularizer] | None = None,
        augment: Augment | None = None,
        ema: Callable[[nn.Module], EMA] = EMA,
        n_critic: int = 1,
        accumulate: int = 1,
        generator_clip: float | None = None,
        discriminator_clip: float | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        for key, value in {"n_critic": n_critic, "accumulate": accumulate}.items():
            within(f"model.init_args.{key}", value, least=1)
        for key, value in {"generator_clip": generator_clip, "discriminator_clip": discriminator_clip}.items():
            within(f"model.init_args.{key}", value, above=0, optional=True)
        self.automatic_optimization = False
        self.generator = channels_last(generator)
        self.discriminator = channels_last(discriminator)
        self.ema = ema(self.generator)
        self.loss = loss
        self.regularizers = nn.ModuleList(regularizers or [])
        self.generator_regularizers = nn.ModuleList(generator_regularizers or [])
        self.augment = augment or Unaugmented()
        self.optimizer_factories = {"discriminator": discriminator_optimizer, "generator": generator_optimizer}
        self.clip = {"discriminator": discriminator_clip, "generator": generator_clip}
        self.n_critic = n_critic
        self.accumulate = accumulate
        self.seed = seed
        self.frozen = Frozen(self, frozen_by_themselves(self))
        self.verdict: Verdict | None = None  # of the discriminator's turn, while it lasts
        self.logits: dict[str, Tensor] = {}  # that it gave to "real" and "fake" items of the latest micro-batch

    def keep_still(self, names: Collection[str]) -> None:
        """Leaves parameters and buffers of both players as they are, from here on, beside what is so already.

        Args:
            names: theirs, as in the module's state.
        """
        self.frozen = Frozen(self, {*names, *self.frozen.names})
        self.frozen.rest()

    def train(self, mode: bool = True) -> AdversarialModule:
        super().train(mode)
        self.frozen.rest()
        return self

    def on_train_start(self) -> None:
        super().on_train_start()
        self.keep_still(self.frozen.names)  # on its way to a device a module gets other buffers
        self.memory = [buffer for buffer in self.memory if not self.frozen.holds(buffer)]
        self.parameters_of = {player: list(getattr(self, player).parameters()) for player in PLAYERS}

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
        reseed(stateless_seed(self.seed, self.global_rank, self.images_seen, self.branch))
        self.images = len(batch[0]) * self.trainer.world_size
        self.step = self.images_seen // self.images
        for player in PLAYERS:
            if self.plays(player):
                with self.stopwatch(f"{player}+regularizers" if self.due(player) else player):
                    self.play(player, batch)
        self.images_seen += self.images
        self.ema.update(self.generator, self.images_seen, self.images)
        if (p := getattr(self.augment, "p", None)) is not None:
            self.latest["augment/p"] = p.clone()

    def plays(self, player: Player) -> bool:
        """Whether a player has a turn at this step: never if nothing of it learns."""
        turn = player == "discriminator" or (self.step + 1) % self.pace == 0
        return turn and not self.frozen.holds_all(getattr(self, player))

    @property
    def pace(self) -> int:
        """Steps from one turn of the generator to the next."""
        return self.n_critic

    def play(self, player: Player, batch: Any) -> bool:
        """One turn of one player: its terms, their gradient, its optimizer.

        Returns:
            Whether the step was taken: where terms, gradient or statistics are not finite, on any rank, it is counted
            and leaves no other trace.
        """
        optimizer = self.optimizers()[PLAYERS.index(player)]
        for other, parameters in self.parameters_of.items():
            for parameter in parameters:
                parameter.requires_grad_(other == player)
        self.frozen.rest()
        before = [buffer.clone() for buffer in self.memory]
        optimizer.zero_grad()
        with self.frozen.kept():
            terms = self.differentiate(player, batch)
        parameters = [parameter for parameter in self.parameters_of[player] if parameter.grad is not None]
        norm, culprit = self.agree(terms, [parameter.grad for parameter in parameters])
        self.latest |= {f"{player}/{name}": value for name, value in terms.items()}
        self.latest[f"gradient/{player}"] = norm
        if culprit is None:
            self.streak[player] = 0
            if (limit := self.clip[player]) is not None:
                clip_grads_with_norm_(parameters, limit, norm)
            optimizer.step()
        else:
            self.streak[player] += 1
            if before:
                torch._foreach_copy_(self.memory, before)
            name = f"{player}/{culprit}"
            self.skipped[name] = self.skipped.get(name, 0) + 1
        return culprit is None

    def differentiate(self, player: Player, batch: Any) -> Terms:
        """Leaves the gradient of a player's terms in its parameters, micro-batch by micro-batch."""
        sums: Terms = {}
        for micro_batch in micro_batches(batch, self.accumulate):
            terms = getattr(self, f"{player}_terms")(micro_batch)
            if not any(term.requires_grad for term in terms.values()):
                raise UserError(
                    f"no term of the {player} depends on what of it learns ({', '.join(terms)}): let its loss reach "
                    "that, or name more of it in train."
                )
            self.descend(player, terms)
            sums = {name: sums.get(name, 0) + value.detach() / self.accumulate for name, value in terms.items()}
        if (verdict := self.verdict) is not None:  # it holds the items and the graph, the logits are next to nothing
            self.logits = {"real": verdict.real_logits.detach(), "fake": verdict.fake_logits.detach()}
            self.verdict = None
        return sums

    def descend(self, player: Player, terms: Terms) -> None:
        """Adds the gradient of a micro-batch's terms to that of a player's turn."""
        self.manual_backward(torch.stack(list(terms.values())).sum() / self.accumulate)

    def agree(self, terms: Terms, gradients: list[Tensor]) -> tuple[Tensor, str | None]:
        """Averages over ranks, in place, what each has found in its share of the batch.

        Returns:
            The norm of the gradient, and what is not finite: a term, the gradient, the statistics, or nothing.
        """
        statistics = [buffer for buffer in self.memory if buffer.is_floating_point()]
        stop = torch.full_like(next(iter(terms.values())), float(self.stop_requested))
        values = torch.stack([*terms.values(), stop])
        average_over_ranks([*gradients, *statistics, values])
        terms |= zip(terms, values, strict=False)

        norm, largest = get_total_norm(gradients), get_total_norm(statistics, math.inf)
        largest = largest.to(norm, non_blocking=True)  # it is the host's where there are no statistics
        found = torch.stack([*values, norm, largest]).tolist()  # here the host waits for the device
        self.stop_agreed |= found.pop(len(terms)) > 0
        return norm, first_not_finite(dict(zip([*terms, "gradient", "statistics"], found, strict=True)))

    @property
    def penalizing(self) -> list[Regularizer]:
        """The regularizers of both players."""
        return [*self.regularizers, *self.generator_regularizers]

    def apply_hyperparameters(self) -> None:
        super().apply_hyperparameters()
        for each in self.penalizing:
            each.scale = self.adjusted.get(f"{type(each).__name__}/weight", 1.0)
        if hasattr(self.augment, "least"):
            self.augment.least = self.adjusted.get("augment/p", 0.0)
            self.augment.p.clamp_(min=self.augment.least)

    def due(self, player: Player) -> list[Regularizer]:
        """The regularizers of a player that are due at this step of its own."""
        if player == "discriminator":
            return [regularizer for regularizer in self.regularizers if regularizer.due(self.step)]
        return [each for each in self.generator_regularizers if each.due(self.step // self.pace)]

    def penalties(self, player: Player, verdict: Verdict) -> Terms:
        """The regularizers that are due, named by their class.

        Called before the verdict's logits are first used, since the discriminator's ask the items for a gradient.
        """
        if player == "discriminator":
            self.verdict = verdict
        due = self.due(player)
        differentiates = any(each.differentiates for each in due)
        if player == "discriminator" and differentiates:
            verdict.real = verdict.real.detach().requires_grad_()
            verdict.fake = verdict.fake.detach().requires_grad_()
        with Twice() if differentiates else nullcontext():
            return {type(regularizer).__name__.lower(): regularizer.term(verdict) for regularizer in due}

    def judged(self, verdict: Verdict) -> Terms:
        """The discriminator's terms, after which the augmentation may adapt."""
        penalties = self.penalties("discriminator", verdict)
        terms = {"adversarial": self.adversarial("discriminator", verdict), **penalties}
        self.augment.observe(verdict, self.images // self.accumulate)
        return terms

    def adversarial(self, player: Player, verdict: Verdict) -> Tensor:
        """The loss of a player, over all networks of the discriminator."""
        return over_networks(getattr(self.loss, player), verdict)

    def critic(self, *conditions: Tensor, beside: Tensor | None = None, network: nn.Module | None = None) -> Critic:
        """The only door to the discriminator: augmentation first, then the items with their conditions.

        Args:
            conditions: what the discriminator takes after the items.
            beside: [B, ...] what is joined to the items along dimension 1 before both are augmented alike.
            network: which part of it judges, where that is not for the whole to say.
        """
        judge = self.discriminator if network is None else network

        def door(items: Tensor) -> Any:
            seen = items if beside is None else torch.cat([beside, items], dim=1)
            return judge(self.augment(seen), *conditions)

        return door

    def opinion(self, items: Tensor, label: Tensor) -> Tensor | None:
        """What the discriminator says of items [B, ...] as they are: logits [N].

        None where it looks at more than items and their classes; a task knows that.
        """
        return None

    def validation_step(self, batch: Any, batch_idx: int) -> Sampled:
        return self.sampled(batch, batch_idx * self.trainer.world_size + self.global_rank)

    def sampled(self, batch: Any, turn: int) -> Sampled:
        """The answer to the batch of a turn, which depends on the weights alone, and on no rank."""
        with torch.random.fork_rng(devices=self.devices):
            reseed(stateless_seed(self.seed, 0, turn))
            return self.sample(batch)

    @property
    def devices(self) -> list[torch.device]:
        """Whose random streams are not the CPU's."""
        return [self.device] if self.device.type == "cuda" else []

    def test_step(self, batch: Any, batch_idx: int) -> Sampled:
        return self.validation_step(batch, batch_idx)

    def on_validation_epoch_end(self) -> None:
        self.log("kimg", self.kimg)

    def on_test_epoch_end(self) -> None:
        self.log("kimg", self.kimg)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        optimizers = [self._optimizer(player) for player in PLAYERS]
        self.hyperparameters = [
            [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
            for optimizer in optimizers
        ]
        return optimizers

    def _optimizer(self, player: Player) -> torch.optim.Optimizer:
        key = f"model.init_args.{player}_optimizer"
        parameters = list(getattr(self, player).parameters())
        if not parameters:
            raise UserError(f"model.init_args.{player} has no parameters, so there is nothing to train: name another.")
        try:
            optimizer = fused(self.optimizer_factories[player](parameters))
        except (ValueError, TypeError, RuntimeError) as error:
            raise UserError(f"{key}: {str(error).rstrip('.')}.") from error
        for name, value in optimizer.defaults.items():
            for each in value if isinstance(value, list | tuple) else [value]:
                if isinstance(each, float):
                    within(f"{key}.init_args.{name}", each, **({"least": 0} if name == "lr" else {}))
        closure = inspect.signature(optimizer.step).parameters.get("closure")
        if closure is not None and closure.default is inspect.Parameter.empty:
            raise UserError(f"{key}: {type(optimizer).__name__} evaluates a step again and again: take another one.")
        return optimizer
