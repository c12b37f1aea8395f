"""A step of the engine in float64, on a batch or on a share of it, whose random numbers belong to the items."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganlit.studies.audit.draws import ItemDraws
from ganlit.studies.audit.game import Turn, play, watch
from ganlit.studies.audit.mates import Culprit, in_parts
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS, Player
from ganlit.tasks.step import stateless_seed

RATE = 1e-3
"""Of plain descent, in place of optimizers that may make a step of a gradient which is but rounded."""


class Share(NamedTuple):
    """What one process plays of a batch, and how."""

    accumulate: int = 1
    rank: int = 0
    world: int = 1
    culprits: Sequence[Culprit] = ()  # that are to see no more than their part of the batch
    parts: Sequence[range] = ()  # which parts those are, where this share is the whole


class Step(NamedTuple):
    """What both players' last turns have given."""

    gradients: dict[str, Tensor]  # by player, of all parameters in one row
    terms: dict[str, Tensor]  # "generator/adversarial"


def step(module: AdversarialModule, batch: Any, clock: int, share: Share, device: torch.device, **options: Any) -> Step:
    """Plays a share of a batch until the generator had its turn.

    Args:
        module: a copy.
        batch: all of it.
        clock: images seen before.
        share: which items of it.
        device: where.
        options: of the Trainer.
    """
    items, draws = list(range(len(batch[0])))[share.rank :: share.world], ItemDraws()
    mine = type(batch)(*(None if part is None else part[items] for part in batch))
    module.accumulate = share.accumulate
    module.optimizer_factories = dict.fromkeys(PLAYERS, partial(torch.optim.SGD, lr=RATE))
    in_parts(module, share.culprits, draws, share.parts)
    for player in PLAYERS:
        setattr(module, f"{player}_terms", drawn_by_item(module, player, draws, items))
    gradients: dict[str, Tensor] = {}

    def note(player: Player, turn: Turn) -> bool:
        with draws:
            taken = turn()
        draws.items = ()
        parameters = getattr(module, player).parameters()
        rows = [(torch.zeros_like(each) if each.grad is None else each.grad).reshape(-1) for each in parameters]
        gradients[player] = torch.cat(rows).cpu().clone()
        return taken

    play(watch(module, note), [mine] * module.n_critic, clock, device, "64-true", **options)
    terms = {name: value.cpu() for name, value in module.latest.items() if name.startswith(PLAYERS)}
    return Step(gradients, terms)


def drawn_by_item(module: AdversarialModule, player: Player, draws: ItemDraws, items: Sequence[int]) -> Any:
    """A player's terms, which tell what is drawn of which items of the share they are given."""
    terms, seen = getattr(module, f"{player}_terms"), 0

    def told(micro_batch: Any) -> Any:
        nonlocal seen
        first, count = seen % len(items), len(micro_batch[0])
        seen += count
        draws.items = items[first : first + count]
        torch.manual_seed(stateless_seed(module.step, PLAYERS.index(player)))
        return terms(micro_batch)

    return told
