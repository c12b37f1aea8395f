"""Which modules let the answer to an item depend on the items beside it, or on the calls before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from ganlit.studies.audit.draws import ItemDraws, length
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS

EXACT = 1e-9
"""How far two answers in float64 may be apart, by the scale of the larger one."""

SEED = 1


class Culprit(NamedTuple):
    """A module that does not treat each item for itself."""

    name: str  # in the module of the game
    kind: str  # its class
    why: Literal["beside", "before"]  # what it gives changes with the items beside one, or with the calls before
    items: bool  # whether it is given items; a parametrization is given weights

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


class Call(NamedTuple):
    """What a module was given when it was first called."""

    positional: tuple[Any, ...]
    named: dict[str, Any]


def culprits(module: AdversarialModule, batch: Any) -> list[Culprit]:
    """The modules, inside both players and before them, that treat items otherwise in a batch than in a part of it.

    Args:
        module: a copy in float64, in training mode, whose clock is set.
        batch: in float64, on its device.
    """
    roots = {name: getattr(module, name) for name in (*PLAYERS, "augment")}
    fresh = {name: deepcopy(root) for name, root in roots.items()}
    draws = ItemDraws()
    draws.items = range(len(batch[0]))
    with draws, first_calls(roots) as calls:
        for player in PLAYERS:
            torch.manual_seed(SEED)
            getattr(module, f"{player}_terms")(batch)
    module.verdict = None
    return [each for name, root in fresh.items() for each in inside(name, root, calls, len(batch[0]))]


@contextmanager
def first_calls(roots: dict[str, nn.Module]) -> Iterator[dict[str, Call]]:
    """What each module below these was first given, by name, while the block lasts."""
    calls: dict[str, Call] = {}

    def noting(name: str) -> Callable[..., None]:
        def note(part: nn.Module, *given: Any) -> None:
            calls.setdefault(name, Call(*tree_map(detached, given)))

        return note

    hooks = [
        part.register_forward_pre_hook(noting(f"{root}.{name}".rstrip(".")), with_kwargs=True)
        for root, whole in roots.items()
        for name, part in whole.named_modules()
    ]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()


def inside(name: str, part: nn.Module, calls: dict[str, Call], count: int) -> list[Culprit]:
    """The innermost culprits of a module; what treats items alike as a whole is not looked into."""
    own: list[Culprit] = []
    if (call := calls.get(name)) is not None:
        items = ".parametrizations." not in name and takes_items(call, count)
        if items and minds_mates(part, call, count):
            own = [Culprit(name, type(part).__name__, "beside", items)]
        elif (minds_earlier if items else minds_calls)(part, call, count):
            own = [Culprit(name, type(part).__name__, "before", items)]
        else:
            return []
    deeper = [each for child, below in part.named_children() for each in inside(f"{name}.{child}", below, calls, count)]
    return deeper or own


def takes_items(call: Call, count: int) -> bool:
    return any(isinstance(leaf, Tensor) and length(leaf) in (count, 2 * count) for leaf in tree_leaves(tuple(call)))


def minds_mates(part: nn.Module, call: Call, count: int) -> bool:
    """Whether a module gives another answer for half of a batch, or every second item of it, when it is alone."""
    whole = answered(deepcopy(part), call, range(count))
    parts = (range(count // 2), range(0, count, 2))
    return any(not as_beside(deepcopy(part), call, whole, count, some) for some in parts)


def minds_earlier(part: nn.Module, call: Call, count: int) -> bool:
    """Whether a module that has answered to half of a batch gives for the other half what it gives for the whole."""
    whole, copy = answered(deepcopy(part), call, range(count)), deepcopy(part)
    halves = (range(count // 2), range(count // 2, count))
    return not all(as_beside(copy, call, whole, count, some) for some in halves)


def as_beside(part: nn.Module, call: Call, whole: Sequence[Tensor], count: int, some: Sequence[int]) -> bool:
    """Whether a module gives for some items of a batch, without the others, what it gave beside them."""
    rows = {size: rows_of(size, count, some) for size in (count, 2 * count)}
    alone = answered(part, cut(call, rows), some)
    beside = [one[rows[len(one)].to(one.device)] if one.dim() and len(one) in rows else one for one in whole]
    shapes = [[each.shape for each in found] for found in (beside, alone)]
    return shapes[0] == shapes[1] and all(apart(*pair) <= EXACT for pair in zip(beside, alone, strict=True))


def minds_calls(part: nn.Module, call: Call, count: int) -> bool:
    """Whether a module answers otherwise when it is asked the same again."""
    copy = deepcopy(part)
    first, second = (answered(copy, call, range(count)) for _ in range(2))
    return any(apart(one, other) > EXACT for one, other in zip(first, second, strict=True))


def answered(part: nn.Module, call: Call, items: Sequence[int]) -> list[Tensor]:
    """The tensors of real numbers that a module gives."""
    draws = ItemDraws()
    draws.items = items
    torch.manual_seed(SEED)
    with draws, torch.enable_grad():
        given = part(*call.positional, **call.named)
    return [leaf.detach() for leaf in tree_leaves(given) if isinstance(leaf, Tensor) and leaf.is_floating_point()]


def rows_of(size: int, count: int, items: Sequence[int]) -> Tensor:
    """Where some of `count` items stand among rows that hold them once or, joined, several times."""
    return torch.cat([torch.as_tensor(list(items)) + block * count for block in range(size // count)])


def cut(call: Call, rows: dict[int, Tensor]) -> Call:
    """The same call with some rows of each tensor that has one for each item."""

    def some(leaf: Any) -> Any:
        fits = isinstance(leaf, Tensor) and leaf.dim() and len(leaf) in rows
        return leaf[rows[len(leaf)].to(leaf.device)] if fits else leaf

    return Call(*tree_map(some, tuple(call)))


def detached(leaf: Any) -> Any:
    return leaf.detach().clone() if isinstance(leaf, Tensor) else leaf


def apart(one: Tensor, other: Tensor) -> float:
    """The distance of two tensors by the size of the larger one."""
    scale = max(float(one.norm()), float(other.norm()), 1e-10)
    return float((one - other).norm()) / scale


def in_parts(module: AdversarialModule, found: Sequence[Culprit], draws: ItemDraws, parts: Sequence[range]) -> None:
    """Has the culprits see a batch in parts, and forget what each has told them: then all else can be compared.

    Args:
        module: in which they are.
        found: the culprits.
        draws: that are under way when the module is played.
        parts: the places, in a batch that is whole, of the items of each; one part is the batch as it comes.
    """
    for each in found:
        part = module.get_submodule(each.name)
        part.forward = apart_forward(part, part.forward, draws, parts if each.items else parts[:0])


def apart_forward(part: nn.Module, forward: Any, draws: ItemDraws, parts: Sequence[range]) -> Any:
    """A module's forward that sees its items in parts and leaves its buffers as they were."""

    def each(*positional: Any, **named: Any) -> Any:
        items, state, call = draws.items, torch.get_rng_state(), Call(positional, named)
        count = len(items)
        places = [rows for rows in parts if len(parts) > 1 and count == sum(map(len, parts))] or [range(count)]
        answers = []
        for some in places:
            torch.set_rng_state(state)
            draws.items = [items[place] for place in some]
            rows = {size: rows_of(size, count, some) for size in (count, 2 * count)}
            with untouched(part):
                answers.append(forward(*(own := cut(call, rows) if len(places) > 1 else call).positional, **own.named))
        draws.items = items
        return answers[0] if len(answers) == 1 else tree_map(lambda *leaves: joined(leaves, count, places), *answers)

    return each


def joined(leaves: Sequence[Any], count: int, places: Sequence[range]) -> Any:
    """The rows of all parts in the order of the batch; what has no rows is that of the first part."""
    if not isinstance(leaves[0], Tensor) or not leaves[0].dim() or len(leaves[0]) % len(places[0]):
        return leaves[0]
    size = len(leaves[0]) // len(places[0]) * count
    order = torch.cat([rows_of(size, count, some) for some in places])
    return torch.cat(list(leaves))[order.argsort().to(leaves[0].device)]


@contextmanager
def untouched(part: nn.Module) -> Iterator[None]:
    """What a module does to its buffers while the block lasts is done to copies of them."""
    before = [(each, dict(each._buffers)) for each in part.modules()]
    for each, buffers in before:
        each._buffers.update({name: None if value is None else value.clone() for name, value in buffers.items()})
    try:
        yield
    finally:
        for each, buffers in before:
            each._buffers.update(buffers)
