"""Degradations made of others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import torch
from torch import Tensor

from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation
from ganlit.errors import UserError, within


class Chain(Degradation):
    """Steps one after the other; the scale is the product of theirs.

    What they tell is numbered from 1, as in `2/noise/sigma`.

    Args:
        steps: at least one.

    Raises:
        UserError: there is none.
    """

    def __init__(self, steps: list[Degradation]) -> None:
        if not steps:
            raise UserError("Chain.steps is empty: name a degradation.")
        self.steps = steps
        scale = math.prod(Fraction(step.scale) for step in steps)
        self.scale = int(scale) if scale.denominator == 1 else scale

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        for number, step in enumerate(self.steps, 1):
            images = step(images, draws.part(str(number)))
        return images

    def given(self, source: Tensor) -> Tensor:
        return self.steps[-1].given(source)

    def on_the_way(self, height: int, width: int) -> Chain:
        return Chain([step.on_the_way(height, width) for step in self.steps])


class Either(Degradation):
    """One of several for each image; those of one kind tell under the same names.

    Args:
        options: that give images of the same form.
        chances: the probability of each, equal ones if they are not given; what they leave to 1 is the probability
            that an image stays as it is.

    Raises:
        UserError: they are not as many, not probabilities, or more than 1 together; or scales differ.
    """

    def __init__(self, options: list[Degradation], chances: Sequence[float] | None = None) -> None:
        if not options:
            raise UserError("Either.options is empty: name a degradation.")
        chances = [1 / len(options)] * len(options) if chances is None else list(chances)
        if len(chances) != len(options):
            raise UserError(f"Either.chances has {len(chances)} numbers for {len(options)} options: set one for each.")
        for chance in chances:
            within("Either.chances", chance, least=0, most=1)
        within("The sum of Either.chances", round(sum(chances), 6), above=0, most=1)
        scales = {option.scale for option in options} | ({1} if sum(chances) < 1 - 1e-6 else set())
        if len(scales) > 1:
            raise UserError(
                f"Either.options shrink images by {' and '.join(map(str, sorted(scales)))}, which is 1 where they stay "
                "as they are: let all have one scale."
            )
        self.options = options
        self.chances = chances
        self.scale = options[0].scale

    def __call__(self, images: Tensor, draws: Draws) -> Tensor:
        choice = draws.choice(self.chances)
        parts, places = [], []
        for number, option in enumerate([*self.options, None]):
            own = draws.part()
            rows = (choice == number).nonzero()[:, 0]
            if len(rows):
                parts.append(images[rows] if option is None else option(images[rows], own.of(rows)))
                places.append(rows)
        if len({part.shape[1:] for part in parts}) > 1:
            shapes = " and ".join(str(list(part.shape[1:])) for part in parts)
            raise UserError(f"Either.options make images of {shapes} (channels, height, width): let all make the same.")
        return torch.cat(parts)[torch.cat(places).argsort()]

    def on_the_way(self, height: int, width: int) -> Either:
        return Either([option.on_the_way(height, width) for option in self.options], self.chances)
