"""Items from items: autoencoders, translation, enhancement, vocoders, codecs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import nn

from ganlit.compute.twice import Twice
from ganlit.contracts import Labelled, Made, Pair, Sampled, Terms, Verdict
from ganlit.errors import UserError
from ganlit.losses.base import Attempt, Criterion
from ganlit.tasks.step import labels
from ganlit.tasks.weighed import WeighedModule


class Translation(WeighedModule):
    """Makes of each source an output that is like its target: by criteria, and by a discriminator as one loss of many.

    A batch is a `Pair`, or items alone, each its own target: then the generator is an autoencoder. The generator has
    `forward(source, label [B])`, which gives items [B, ...] or, with more beside them, such as a posterior or codes,
    `Made`; the discriminator is that of `Synthesis`. Networks that know no classes ignore the labels.

    Args:
        criteria: terms of the generator's objective beside the adversarial one, each under its name.
        conditional: show the discriminator the source beside target and output, joined along channels; augmentation
            then moves both alike.
        game: generator, discriminator, loss, optimizers and all else, as in `WeighedModule`.

    Raises:
        UserError: there is no criterion, or two have one name.
    """

    def __init__(self, criteria: list[Criterion], conditional: bool = False, **game: Any) -> None:
        super().__init__(**game)
        if not criteria:
            raise UserError("model.init_args.criteria is empty: name one, such as L1.")
        name, times = Counter(each.name for each in criteria).most_common(1)[0]
        if any(each.name == "adversarial" for each in criteria):
            raise UserError("model.init_args.criteria calls a criterion adversarial, as another term is: rename it.")
        if times > 1:
            raise UserError(f"model.init_args.criteria has {name} {times} times: give each a name of its own.")
        self.criteria = nn.ModuleList(criteria)
        self.conditional = conditional

    def check_data(self, data: Any) -> Any:
        if self.conditional:
            refuse_unequal(Pair.of(data.grid(1, 1)), data)
        items = super().check_data(data)
        codes = self.sample(items).side.get("codes")
        if codes is not None:
            levels = getattr(self.generator, "levels", 1)  # each has a codebook of its own
            refuse_codebook(self.generator.codes, codes[0].numel() // levels, data)
        return items

    def discriminator_terms(self, batch: Pair | Labelled) -> Terms:
        pair = Pair.of(batch)
        with torch.no_grad():
            made = self.translate(pair)
        return self.judged(self.seen(pair, made))

    def generator_terms(self, batch: Pair | Labelled) -> Terms:
        pair = Pair.of(batch)
        if self.due("generator"):  # for the sake of a penalty in float32, and with a graph from the source on
            with torch.autocast(pair.source.device.type, enabled=False), Twice():
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
    trained = data.trained_on
    count = len(trained.items) * places
    if codes > count:
        raise UserError(
            f"the codebook has {codes:,} codes, but {trained.name} only {count:,} places for them, "
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
