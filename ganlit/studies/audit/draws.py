"""Random numbers that belong to items, so that a batch and its parts can play the same game."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ganlit.tasks.step import reseed, stateless_seed


class ItemDraws(TorchDispatchMode):
    """Gives an item the same random numbers whatever it is computed beside, whoever in torch draws them.

    A draw is known by where torch's random stream is, and each row of it by its item. What has not a row for each item
    is drawn once for all.
    """

    items: Sequence[int] = ()
    """Which of the whole batch are computed; none, and torch draws as ever."""

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if not self.items or torch.Tag.nondeterministic_seeded not in operation.tags:
            return operation(*args, **kwargs)
        if "generator" in kwargs:
            kwargs = {**kwargs, "generator": None}
        draw = int(torch.randint(2**62, ()))
        state = torch.get_rng_state()
        try:
            return self.drawn(draw, operation, args, kwargs)
        finally:
            torch.set_rng_state(state)

    def drawn(self, draw: int, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What an operation gives, row by row where it has rows."""
        count = len(self.items)
        rows = next(filter(None, map(length, (*args, *kwargs.values()))), 0)
        if rows not in (count, 2 * count):  # real and generated items may be joined
            reseed(draw)
            return operation(*args, **kwargs)
        found = []
        for row in range(rows):
            reseed(stateless_seed(draw, self.items[row % count], row // count))
            one = cut(lambda part, row=row: part[row : row + 1], rows)
            found.append(operation(*map(one, args), **{key: one(value) for key, value in kwargs.items()}))
        if operation._schema.is_mutable:
            return kwargs.get("out", args[0] if args else None)
        if isinstance(found[0], Tensor):
            return torch.cat(found)
        return tuple(torch.cat(parts) for parts in zip(*found, strict=True))


def length(argument: Any) -> int:
    """The rows of a tensor, or of the shape of one."""
    if isinstance(argument, Tensor):
        return len(argument) if argument.dim() else 0
    is_shape = isinstance(argument, list | tuple) and argument and all(isinstance(size, int) for size in argument)
    return argument[0] if is_shape else 0


def cut(choose: Callable[[Tensor], Tensor], rows: int) -> Callable[[Any], Any]:
    """What makes one row of an argument that has so many."""

    def one(argument: Any) -> Any:
        if length(argument) != rows:
            return argument
        return choose(argument) if isinstance(argument, Tensor) else [1, *argument[1:]]

    return one
