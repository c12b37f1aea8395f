"""What optimizers remember, taken over from one run into another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganlit.configuration.rebuild import build
from ganlit.errors import UserError
from ganlit.records import documents, durable
from ganlit.tasks.base import PLAYERS, AdversarialModule

Memory = dict[str, Any]
"""Of one parameter: its moments, the number of its steps."""


def take_over(module: AdversarialModule, checkpoint: Path, run: Path, names: set[str]) -> None:
    """Has a module's optimizers begin with what those of another run remember of some parameters.

    Args:
        module: its optimizers are not built yet.
        checkpoint: of the other run.
        run: its directory.
        names: of parameters that both have; others begin anew.

    Raises:
        UserError: optimizers are of different kinds, or the run cannot be rebuilt.
    """
    source = build(documents.text(run / "config.yaml"), run / "config.yaml")
    states = durable.load(checkpoint).get("optimizer_states")
    if not isinstance(states, list) or len(states) != len(PLAYERS):
        raise UserError(f"{checkpoint} has not what both optimizers remember: leave from_optimizers out.")
    for player, state in zip(PLAYERS, states, strict=True):
        network, factory = getattr(module, player), module.optimizer_factories[player]
        if not any(name.startswith(f"{player}.") for name in names):
            continue
        known = {f"{player}.{name}": each for name, each in getattr(source, player).named_parameters()}
        theirs = source.optimizer_factories[player](list(known.values()))
        try:
            theirs.load_state_dict(state)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise UserError(
                f"{checkpoint} has not what {run} describes ({error}): leave from_optimizers out."
            ) from None
        parameters = [f"{player}.{name}" for name, _ in network.named_parameters()]
        memories = [theirs.state.get(known.get(name), {}) if name in names else {} for name in parameters]
        module.optimizer_factories[player] = remembering(factory, theirs, memories, run)


def remembering(
    factory: Callable[..., Optimizer], theirs: Optimizer, memories: list[Memory], run: Path
) -> Callable[..., Optimizer]:
    """A factory whose optimizer knows of each parameter what another one has learnt.

    It raises a UserError where that one is of another kind, or remembers other things with its options.
    """

    def built(parameters: list[nn.Parameter]) -> Optimizer:
        optimizer = factory(parameters)
        kept = remembered(factory)
        if type(optimizer) is not type(theirs) or any(memory and memory.keys() != kept for memory in memories):
            raise UserError(
                f"from_optimizers is given, but this is {described(optimizer)} and that of {run} is "
                f"{described(theirs)}: give the same, or leave from_optimizers out"
            )
        for parameter, memory in zip(parameters, memories, strict=True):
            if memory:
                own = {key: value.clone() if isinstance(value, Tensor) else value for key, value in memory.items()}
                optimizer.state[parameter] = own
        return optimizer

    return built


def remembered(factory: Callable[..., Optimizer]) -> set[str]:
    """The names of what an optimizer remembers of a parameter, by a step of it."""
    trial = nn.Parameter(torch.zeros(2, 2))
    trial.grad = torch.zeros_like(trial)
    optimizer = factory([trial])
    optimizer.step()
    return set(optimizer.state[trial])


def described(optimizer: Optimizer) -> str:
    """Its class, and which of its options are on."""
    options = [name for name, value in optimizer.defaults.items() if value is True]
    return f"{type(optimizer).__name__} with {' and '.join(options)}" if options else type(optimizer).__name__
