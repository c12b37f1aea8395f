"""The mechanics of a game in which the discriminator is one loss among others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from ganlit.compute.strategy import average_over_ranks
from ganlit.contracts import Terms
from ganlit.errors import UserError
from ganlit.losses.weight import Weight
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import Player
from ganlit.tasks.fitting import check, rehearse


class WeighedModule(AdversarialModule):
    """Weighs the adversarial terms against what else the generator learns by, from a place on the clock on.

    A task adds its terms; before the weight counts, and where it is 0, the generator's have no adversarial ones.

    Args:
        adversarial: how much the adversarial term counts, and from when on.
        game: generator, discriminator, loss, optimizers and all else, as in `AdversarialModule`.
    """

    takes_data = True

    def __init__(self, adversarial: Weight | None = None, **game: Any) -> None:
        super().__init__(**game)
        self.weight = adversarial or Weight()
        self.apart: dict[str, Sequence[Tensor | None]] = {}  # own gradients of terms, while a turn lasts that asks

    @property
    def taught(self) -> dict[str, nn.Module]:
        """The networks of the generator that an adversarial term teaches, by its name."""
        return {"adversarial": self.generator}

    def check_data(self, data: Any) -> Any:
        """Refuses data that the networks were not built for, also for the time when the adversarial term counts.

        Returns:
            The few items that were tried, as a batch on the module's device.
        """
        items, now = check(self, data), self.images_seen
        if not self.weight.at(self.kimg):
            self.images_seen = math.ceil(self.weight.start * 1000) + 1
            try:
                rehearse(self, items)
            finally:
                self.images_seen = now
        return items

    def check_length(self, kimg: float) -> None:
        if self.weight.weight and self.weight.start >= kimg:
            raise UserError(
                f"adversarial.start is {self.weight.start:g} kimg, but the run ends at {kimg:g}: start earlier, or "
                "train without the adversarial term by adversarial.weight 0."
            )

    @property
    def pace(self) -> int:
        """As for any game; the generator plays at each step as long as the discriminator does not."""
        return self.n_critic if self.weight.judges(self.kimg) else 1

    def plays(self, player: Player) -> bool:
        return super().plays(player) and (player == "generator" or self.weight.judges(self.kimg))

    def differentiate(self, player: Player, batch: Any) -> Terms:
        """As for any player; then an adaptive weight stretches what was kept apart, by the gradients of all ranks."""
        self.apart = {}
        terms = super().differentiate(player, batch)
        for name, gradients in self.apart.items():
            ratio = self.stretch(self.taught[name], gradients)
            terms[name] = terms[name] * ratio
            self.latest[name.replace("adversarial", "adversarial/ratio")] = ratio
        return terms

    def descend(self, player: Player, terms: Terms) -> None:
        """Keeps the gradient of an adversarial term apart where its weight follows from it.

        The weight is that of the whole batch, which no micro-batch and no rank knows yet.
        """
        others = dict(terms)
        for name, network in self.taught.items() if player == "generator" and self.weight.adaptive else ():
            if name not in others or not others[name].requires_grad:  # it does not count, or nothing of it learns
                continue
            parameters = list(network.parameters())
            gradients = [parameter.grad for parameter in parameters]
            for parameter, gradient in zip(parameters, self.apart.get(name, [None] * len(parameters)), strict=True):
                parameter.grad = gradient
            self.manual_backward(others.pop(name) / self.accumulate, retain_graph=True)
            self.apart[name] = [parameter.grad for parameter in parameters]
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
        super().descend(player, others)

    def stretch(self, network: nn.Module, apart: Sequence[Tensor | None]) -> Tensor:
        """Joins the gradient of an adversarial term to that of the others, as strongly as the adaptive weight says.

        Returns:
            The ratio of both by the network's last layer.

        Raises:
            UserError: not both reach that.
        """
        parameters, last = list(network.parameters()), self.last_layer(network)
        own = next(gradient for gradient, each in zip(apart, parameters, strict=True) if each is last)
        if last.grad is None or own is None:
            raise UserError(
                f"AdaptiveWeight measures by the last layer of {type(network).__name__}, of which "
                f"{'no criterion' if last.grad is None else 'the discriminator'} says anything: name a criterion of "
                "what it makes, such as L1, or take Weight."
            )
        measured = [last.grad.clone(), own / self.weight.at(self.kimg)]
        average_over_ranks(measured)
        ratio = self.weight.ratio(*measured)
        for parameter, gradient in zip(parameters, apart, strict=True):
            if gradient is not None:
                stretched = gradient * ratio.to(gradient.dtype)
                parameter.grad = stretched if parameter.grad is None else parameter.grad.add_(stretched)
        return ratio

    def last_layer(self, network: nn.Module) -> nn.Parameter:
        """By which the adaptive weight measures: what the network calls so, else its last matrix that learns."""
        learning = [each for each in network.parameters() if not self.frozen.holds(each)]
        own = getattr(network, "last_layer", None)
        if own is not None and not self.frozen.holds(own):
            return own
        return ([each for each in learning if each.dim() > 1] or learning)[-1]
