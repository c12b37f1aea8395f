"""Texts, symbol after symbol, by likelihood and by a discriminator."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from ganlit.contracts import Judgement, Labelled, Sampled, Terms, Verdict
from ganlit.errors import UserError
from ganlit.losses.text.base import Estimator, Turn, log_likelihood
from ganlit.losses.weight import Weight
from ganlit.networks.resting import at_rest
from ganlit.tasks.clocked import PLAYERS, Player
from ganlit.tasks.weighed import WeighedModule


class Sequence(WeighedModule):
    """Writes sequences of symbols, by two terms that each have their time on the clock.

    `likelihood` is -log p(real text) for each of its places; `adversarial` is what an estimator makes of the
    discriminator's verdict, since a choice of symbols has no gradient. So the phases of SeqGAN are a configuration: the
    likelihood ends where the lead of the discriminator begins, in which the generator waits, and `n_critic` counts from
    there on.

    The generator has `symbols`, `length`, `classes` and `ends` and, where it reads what it writes, `forward(tokens
    [B, L] int64, label [B])`, which gives logits [B, L, symbols] of each place by those before it; `begin(batch,
    label)` and `step(state, previous)`, the same place by place; `latents(label)` and `write(latents, label)`, which
    gives texts [B, L] int64. The discriminator has `forward(item, label)` as in `Synthesis`, of items [B, L] int64 or
    [B, L, symbols] shares. Networks that know no classes ignore the labels.

    Args:
        estimator: how the verdict reaches the generator.
        likelihood: how much the likelihood counts, and from when to when; by default it does not.
        adversarial: how much the estimator's terms count, and from when on, as in `WeighedModule`.
        game: generator, discriminator, loss, optimizers and all else, as in `AdversarialModule`.

    Raises:
        UserError: the parts do not fit one another, or nobody would learn for a time.
    """

    takes_data = False

    def __init__(
        self,
        estimator: Estimator,
        likelihood: Weight | None = None,
        adversarial: Weight | None = None,
        **game: Any,
    ) -> None:
        super().__init__(adversarial, **game)
        self.likelihood = likelihood or Weight(0.0)
        self.vocabulary: str | None = None  # a digest of that of the training, once it has begun
        self.estimator = estimator
        name, kind = type(estimator).__name__, type(self.generator).__name__
        if hasattr(self.generator, "step") != estimator.reads:
            raise UserError(
                f"model.init_args.estimator is {name}, which is for generators "
                f"{'that read what they write' if estimator.reads else 'of all places at once'}, and {kind} is none: "
                "name another of both."
            )
        if self.likelihood.weight and not estimator.reads:
            raise UserError(f"model.init_args.likelihood counts, but {kind} tells no likelihood: leave it out.")
        if self.likelihood.adaptive or self.likelihood.lead:
            raise UserError("model.init_args.likelihood has no lead and does not adapt: name Weight without a lead.")
        if self.regularizers and not estimator.soft:
            raise UserError(
                f"model.init_args.regularizers differentiate by what the discriminator sees, which {name} makes "
                "symbols: leave them out, or take GumbelSoftmax."
            )
        if self.generator_regularizers:
            raise UserError("model.init_args.generator_regularizers is of no use to Sequence: leave it out.")
        refuse_idleness(self.likelihood, self.weight)
        estimator.start(self.generator)

    @property
    def writing(self) -> bool:
        """Whether the generator has a term at this place on the clock."""
        return bool(self.weight.at(self.kimg) or self.likelihood.at(self.kimg))

    def plays(self, player: Player) -> bool:
        return super().plays(player) and (player == "discriminator" or self.writing)

    def play(self, player: Player, batch: Any) -> bool:
        """As for any player; what an estimator remembers follows the generator's step, if it was taken."""
        taken = super().play(player, batch)
        if taken and player == "generator":
            self.estimator.follow(self.generator)
        return taken

    def check_data(self, data: Any) -> Any:
        refuse_symbols(self, data)
        self.vocabulary = getattr(getattr(data.modality, "vocabulary", None), "digest", None)
        return super().check_data(data)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["vocabulary"] = self.vocabulary

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        self.vocabulary = checkpoint.get("vocabulary")

    def discriminator_terms(self, batch: Labelled) -> Terms:
        with torch.no_grad(), at_rest(self.generator):
            fake = self.estimator.shown(self.generator, batch.label, self.kimg)
        return self.judged(Verdict(self.critic(batch.label), self.estimator.real(batch.item, fake), fake))

    def generator_terms(self, batch: Labelled) -> Terms:
        terms: Terms = {}
        if factor := self.weight.at(self.kimg):
            objective = partial(self.objective, batch)
            found = self.estimator.terms(Turn(self.generator, batch.label, self.kimg, self.judge, objective))
            terms |= {name: factor * term for name, term in found.items()}
        if factor := self.likelihood.at(self.kimg):
            logits = self.generator(batch.item, batch.label)
            terms["likelihood"] = -factor * log_likelihood(logits, batch.item, self.generator.ends).mean()
        return terms

    def objective(self, batch: Labelled, fake: Tensor) -> Tensor:
        """The generator's adversarial loss of texts as the discriminator sees them."""
        real = self.estimator.real(batch.item, fake)
        return self.adversarial("generator", Verdict(self.critic(batch.label), real, fake))

    @torch.no_grad()
    def judge(self, item: Tensor, label: Tensor) -> list[Tensor]:
        """What each network of the discriminator, without its dropout, says of texts: logits [N] or [N, ...]."""
        with at_rest(self.discriminator):
            return list(Judgement.of(self.critic(label)(item)).logits)

    def sample(self, batch: Labelled) -> Sampled:
        return Sampled(batch.item, self.averaged(self.latents(batch.label), batch.label))

    def averaged(self, latents: Tensor, label: Tensor, **options: Any) -> Tensor:
        """Texts [B, L] int64 of the average, by what chooses their symbols."""
        return self.ema.module.write(latents, label, **options)

    def latents(self, label: Tensor) -> Tensor:
        """What chooses the symbols of a text for each label."""
        return self.generator.latents(label)


def refuse_idleness(likelihood: Weight, adversarial: Weight) -> None:
    """Refuses, with a UserError, two terms between which nobody would learn anything."""
    ends = (likelihood.end if likelihood.weight else 0) if adversarial.weight else None
    if ends is not None and ends < adversarial.begins:
        raise UserError(
            f"nothing is learnt from {ends:g} to {adversarial.begins:g} kimg, where the discriminator begins: set "
            "likelihood.end later, or adversarial.lead longer."
        )


def refuse_symbols(module: Sequence, data: Any) -> None:
    """Refuses, with a UserError, data of which a network does not know the symbols, or the generator not their end."""
    if (vocabulary := getattr(data.modality, "vocabulary", None)) is None:
        return
    name, count = data.reference.name, len(vocabulary)
    for player in reversed(PLAYERS):
        known = getattr(getattr(module, player), "symbols", count)
        if known < count:
            raise UserError(
                f"{name} has {count:,} symbols but the {player} knows {known:,}: set symbols alike in data.init_args "
                "and in both networks."
            )
    if vocabulary.ends != module.generator.ends:
        raise UserError(
            f"texts of {name} {'have an end' if vocabulary.ends else 'have no end'}: set "
            f"model.init_args.generator.init_args.ends to {str(vocabulary.ends).lower()}."
        )
