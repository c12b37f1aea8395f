"""What all tabs share: the generator with its directions and its map, and how a state becomes a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ganlit.studies.evaluation.trained import takes
from ganlit.studies.explore.state import State
from ganlit.studies.latent.distance import PIXELS
from ganlit.studies.latent.find import Direction
from ganlit.studies.latent.subject import KNOWN, Subject, spread


class Controls(NamedTuple):
    """What can be asked of a generator."""

    classes: tuple[int, ...]  # empty where it knows none
    truncation: bool
    layers: int  # that can take a style of their own; 0 for no mixing


class Drawn(NamedTuple):
    """A state as a picture."""

    latent: Tensor  # [1, L, d]
    label: Tensor  # [1]
    stored: Tensor  # [1, C, H, W]


class Studio:
    """A generator that is looked at.

    Args:
        subject: it, with its latents.
        seed: of these.
        steps: in which the latent of a picture is looked for.
        distance: to that picture: pixels, or an extractor's name.

    Attributes:
        directions: by name.
        unit: of directions.
    """

    def __init__(self, subject: Subject, seed: int = 0, steps: int = 200, distance: str = PIXELS) -> None:
        self.subject = subject
        self.seed = seed
        self.steps = steps
        self.distance = distance
        self.directions: dict[str, Tensor] = {}
        self.sample, self.of = subject.sample(KNOWN, seed)  # by which the space is measured
        self.unit = spread(self.sample, self.of)
        self.controls = controls_of(subject)

    @property
    def start(self) -> State:
        """What is shown first."""
        return State(label=self.subject.turn[0], layer=max(1, self.controls.layers // 2))

    def know(self, directions: Sequence[Direction]) -> None:
        """Takes further directions, or others of the same names."""
        self.directions |= {each.name: each.vector.to(self.sample) for each in directions}

    def latent(self, state: State, found: Sequence[Tensor] = ()) -> Tensor:
        """The latent [1, L, d] of a state.

        Args:
            found: those of pictures [1, L, d], by their numbers.
        """
        latent = self._own(state.seed, state) if state.found is None else found[state.found].clone()
        if state.other is not None and self.controls.layers:
            latent = latent.expand(-1, self.controls.layers, -1).clone()
            latent[:, state.layer :] = self._own(state.other, state)
        for name, amount in state.amounts.items():
            if name in self.directions:
                latent = latent + amount * self.unit * self.directions[name]
        return latent

    def draw(self, state: State, found: Sequence[Tensor] = ()) -> Drawn:
        """The picture of a state, always in the same noise."""
        latent, label = self.latent(state, found), self.label(state)
        return Drawn(latent, label, self.subject.made(latent, label))

    def label(self, state: State) -> Tensor:
        """[1]."""
        return torch.tensor([state.label], device=self.subject.device)

    def _own(self, seed: int, state: State) -> Tensor:
        psi = state.truncation if self.controls.truncation else 1.0
        return self.subject.latents(self.subject.z([seed], self.seed), self.label(state), truncation=psi)


def controls_of(subject: Subject) -> Controls:
    """Those that a generator has an ear for."""
    classes = tuple(sorted(set(subject.turn))) if subject.known > 1 else ()
    truncation = subject.styled and takes(subject.module, "truncation")
    return Controls(classes, truncation, len(subject.layers) if subject.styled else 0)
