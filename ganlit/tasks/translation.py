"""Items from items: autoencoders, translation, enhancement, vocoders, codecs."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import torch
from torch import Tensor, nn

from ganlit.compute.strategy import average_over_ranks
from ganlit.contracts import Labelled, Made, Pair, Sampled, Terms, Verdict
from ganlit.errors import UserError
from ganlit.losses.base import Attempt, Criterion
from ganlit.losses.weight import Weight
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import Player
from ganlit.tasks.fitting import check, rehearse
from ganlit.tasks.step import labels


class Translation(AdversarialModule):
    """Makes of each source an output that is like its target: by criteria, and by a discriminator as one loss of many.

    A batch is a `Pair`, or items alone, each its own target: then the generator is an autoencoder. The generator has
    `forward(source, label [B])`, which gives items [B, ...] or, with more beside them, such as a posterior or codes,
    `Made`; the discriminator is that of `Synthesis`. Networks that know no classes ignore the labels.

    Args:
        criteria: terms of the generator's objective beside the adversarial one, each under its name.
        adversarial: how much the adversarial term counts, and from when on.
        conditional: show the discriminator the source beside target and output, joined along channels; augmentation
            then moves both alike.
        game: generator, discriminator, loss, optimizers and all else, as in `AdversarialModule`.

    Raises:
        UserError: there is no criterion, or two have one name.
    """

    takes_data = True

    def __init__(
        self,
        criteria: list[Criterion],
        adversarial: Weight | None = None,
        conditional: bool = False,
        **game: Any,
    ) -> None:
        super().__init__(**game)
        if not criteria:
            raise UserError("model.init_args.criteria is empty: name one, such as L1.")
        name, times = Counter(each.name for each in criteria).most_common(1)[0]
        if any(each.name == "adversarial" for each in criteria):
            raise UserError("model.init_args.criteria calls a criterion adversarial, as another term is: rename it.")
        if times > 1:
            raise UserError(f"model.init_args.criteria has {name} {times} times: give each a name of its own.")
        self.criteria = nn.ModuleList(criteria)
        self.weight = adversarial or Weight()
        self.conditional = conditional
        self.apart: list[Tensor | None] = []  # the adversarial term's own gradient, while a turn lasts that asks for it

    def check_data(self, data: Any) -> None:
        """Refuses data that the networks were not built for, also for the time when the adversarial term counts."""
        if self.conditional:
            refuse_unequal(Pair.of(data.grid(1, 1)), data)
        items, now = check(self, data), self.images_seen
        codes = self.sample(items).side.get("codes")
        if codes is not None:
            refuse_codebook(self.generator.codes, codes[0].numel(), data)
        self.images_seen = max(now, math.ceil(self.weight.start * 1000) + 1)
        try:
            rehearse(self, items)
        finally:
            self.images_seen = now

    def check_length(self, kimg: float) -> None:
        if self.weight.weight and self.weight.start >= kimg:
            raise UserError(
                f"adversarial.start is {self.weight.start:g} kimg, but the run ends at {kimg:g}: start earlier, or "
                "train without the adversarial term by adversarial.weight 0."
            )

    def plays(self, player: Player) -> bool:
        return super().plays(player) and (player == "generator" or self.weight.judges(self.kimg))

    def discriminator_terms(self, batch: Pair | Labelled) -> Terms:
        pair = Pair.of(batch)
        with torch.no_grad():
            made = self.translate(pair)
        return self.judged(self.seen(pair, made))

    def generator_terms(self, batch: Pair | Labelled) -> Terms:
        pair = Pair.of(batch)
        if self.due("generator"):  # for the sake of a penalty in float32, and with a graph from the source on
            with torch.autocast(pair.source.device.type, enabled=False):
                pair = pair._replace(source=pair.source.detach().requires_grad_())
                verdict = self.seen(pair, self.translate(pair))
        else:
            verdict = self.seen(pair, self.translate(pair))
        penalties = self.penalties("generator", verdict)
        factor, attempt = self.weight.at(self.kimg), Attempt(pair.source, verdict)
        terms = {each.name: each.term(attempt) for each in self.criteria if factor or not each.asks_discriminator}
        if factor:
            terms["adversarial"] = factor * self.adversarial("generator", verdict)
        return terms | penalties

    def differentiate(self, player: Player, batch: Any) -> Terms:
        """As for any player; then an adaptive weight stretches what was kept apart, by the gradients of all ranks."""
        self.apart = []
        terms = super().differentiate(player, batch)
        if self.apart:
            parameters = list(self.generator.parameters())
            last = next(place for place, each in enumerate(parameters) if each is self.last_layer)
            gradients = [parameters[last].grad.clone(), self.apart[last] / self.weight.at(self.kimg)]
            average_over_ranks(gradients)
            ratio = self.weight.ratio(*gradients)
            for parameter, gradient in zip(parameters, self.apart, strict=True):
                if gradient is not None:
                    stretched = gradient * ratio.to(gradient.dtype)
                    parameter.grad = stretched if parameter.grad is None else parameter.grad.add_(stretched)
            terms["adversarial"] = terms["adversarial"] * ratio
            self.latest["adversarial/ratio"] = ratio
        return terms

    def descend(self, player: Player, terms: Terms) -> None:
        """Keeps the gradient of the adversarial term apart where its weight follows from it.

        The weight is that of the whole batch, which no micro-batch and no rank knows yet.
        """
        others = {name: term for name, term in terms.items() if name != "adversarial"}
        if player == "generator" and self.weight.adaptive and len(others) < len(terms):
            parameters = list(self.generator.parameters())
            gradients = [parameter.grad for parameter in parameters]
            for parameter, gradient in zip(parameters, self.apart or [None] * len(parameters), strict=True):
                parameter.grad = gradient
            self.manual_backward(terms["adversarial"] / self.accumulate, retain_graph=True)
            self.apart = [parameter.grad for parameter in parameters]
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
            terms = others
        super().descend(player, terms)

    @property
    def last_layer(self) -> nn.Parameter:
        """By which the adaptive weight measures: what the generator calls so, else its last matrix that learns."""
        learning = [each for each in self.generator.parameters() if not self.frozen.holds(each)]
        own = getattr(self.generator, "last_layer", None)
        if own is not None and not self.frozen.holds(own):
            return own
        return ([each for each in learning if each.dim() > 1] or learning)[-1]

    def translate(self, pair: Pair) -> Made:
        """What the generator in training makes."""
        return Made.of(self.generator(pair.source, labels(pair.source, pair.label)))

    def seen(self, pair: Pair, made: Made) -> Verdict:
        """What a player sees of it."""
        critic = self.critic(labels(pair.source, pair.label), beside=pair.source.detach() if self.conditional else None)
        latent = pair.source if pair.source.requires_grad else None
        return Verdict(critic, pair.target, made.output, latent, made.side)

    def sample(self, batch: Pair | Labelled) -> Sampled:
        """The average's answer; where it knows a prior over its latents, also items from there."""
        pair = Pair.of(batch)
        label, generator = labels(pair.source, pair.label), self.ema.module
        output, side = Made.of(self.ema(pair.source, label))
        if hasattr(generator, "prior"):
            side = {**side, "prior": generator.decode(generator.prior(label), label).float()}
        return Sampled(pair.target, output.float(), pair.source, side)


def refuse_codebook(codes: int, places: int, data: Any) -> None:
    """Refuses, with a UserError, a codebook of which the data, with so many places an item, can never fill a part."""
    count = len(data.reference.items) * places
    if codes > count:
        raise UserError(
            f"the codebook has {codes:,} codes, but {data.reference.name} only {count:,} places for them, "
            f"{places:,} in each {data.modality.item}: take a smaller one, or more data."
        )


def refuse_unequal(pair: Pair, data: Any) -> None:
    """Refuses, with a UserError, sources and targets that cannot be joined along channels."""
    source, target = (list(items.shape[1:]) for items in (pair.source, pair.target))
    if source[1:] != target[1:]:
        raise UserError(
            f"{data.reference.name} has sources of {source} and targets of {target}, which "
            "model.init_args.conditional joins along channels: bring them to one size, or set it to false."
        )
