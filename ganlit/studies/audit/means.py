"""Who computes a term, and whether it is a mean over items: tried on answers that are given to it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from ganlit.contracts import Verdict
from ganlit.studies.audit.draws import ItemDraws
from ganlit.studies.audit.mates import EXACT, SEED, apart
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import Player


class Given(Verdict):
    """Items and what is thought of them, as losses and penalties read them, and criteria too."""

    @property
    def source(self) -> Tensor | None:
        return self.latent

    @property
    def target(self) -> Tensor:
        return self.real

    @property
    def output(self) -> Tensor:
        return self.fake


def author(module: AdversarialModule, term: str) -> nn.Module | None:
    """Who computes a term of a player; none where the task does so itself."""
    if term == "adversarial":
        return module.loss
    parts = [*module.regularizers, *module.generator_regularizers, *getattr(module, "criteria", [])]
    return next((each for each in parts if getattr(each, "name", type(each).__name__.lower()) == term), None)


def averages(part: nn.Module, player: Player, items: Tensor) -> bool | None:
    """Whether a term is the mean of what it is of both halves of a batch, where critic and generator mind no mates.

    Args:
        part: who computes it.
        player: whose term it is.
        items: [B, ...] real ones.

    Returns:
        None where that cannot be told: it asks for more than items and logits.
    """
    count = len(items)
    try:
        whole, *halves = (
            value(deepcopy(part).double(), player, items.double(), some)
            for some in (range(count), range(count // 2), range(count // 2, count))
        )
    except Exception:
        return None
    return apart(whole, torch.stack(halves).mean()) <= EXACT


def value(part: nn.Module, player: Player, items: Tensor, some: Sequence[int]) -> Tensor:
    """The term of some items."""
    draws = ItemDraws()
    draws.items = some
    torch.manual_seed(SEED)
    with draws, torch.enable_grad():
        real, latent = items[some].requires_grad_(), items[some].flip(-1).requires_grad_()
        objective = getattr(part, player, None) or part.term  # a loss has one for each player
        return objective(Given(critic, real, latent.sin(), latent)).detach()


def critic(items: Tensor) -> Tensor:
    """Logits [B], of each item for itself."""
    return items.flatten(1).square().sum(dim=1).log1p() - 2.0
