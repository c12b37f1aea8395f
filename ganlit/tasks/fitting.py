"""Whether data, networks and losses fit one another: found out with a few items before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from ganlit.compute.strategy import world_size
from ganlit.errors import UserError, reason
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS

FEW = 4
"""Items by which parts that do not fit are found."""


def check(module: AdversarialModule, data: Any) -> Any:
    """Refuses a data module that the networks were not built for.

    Returns:
        The few items, as a batch on the module's device.

    Raises:
        UserError: the items are of another shape, the classes are others, or a turn of either player fails.
    """
    reference, kind = data.reference, data.modality
    labels = int(reference.labels.max()) + 1
    module.populated = reference.labels.unique().tolist()
    for player in reversed(PLAYERS):
        known = getattr(getattr(module, player), "classes", 0)
        if known not in (0, labels):
            has = f"{labels} classes" if labels > 1 else "no classes"
            raise UserError(
                f"{reference.name} has {has} but the {player} knows {known}: set "
                f"model.init_args.{player}.init_args.classes to {labels if labels > 1 else 0}, the other's alike."
            )
    packs = getattr(module.discriminator, "packed", 1)  # of so many items, of which no part can be judged
    items = data.grid(1, min(-(-FEW // packs) * packs, module.share(data.batch, world_size())))
    if items.label is not None:
        items.label[-1] = labels - 1
    items = module.transfer_batch_to_device(items, module.device, 0)
    with fitting(module, "sampling"):
        made = kind.to_stored(module.sample(items).output)
    shape = list(made.shape[1:])
    wanted = list(reference.items[:1].shape[1:])
    if shape != wanted:
        raise UserError(
            f"{reference.name} has {kind.item}s of {wanted} ({kind.axes}) but the generator makes {shape}: set "
            f"{kind.shaped_by} alike in data.init_args and in both networks."
        )
    rehearse(module, items)
    return items


def rehearse(module: AdversarialModule, batch: Any) -> None:
    """Both players' terms of a few items, of which nothing is kept: parts that do not fit one another are told of.

    Raises:
        UserError: they do not.
    """
    before = [buffer.clone() for buffer in module.buffers()]
    module.images, module.step = len(batch[0]) * module.accumulate, 0
    try:
        for player in PLAYERS:
            with fitting(module, f"the {player}'s turn"), torch.random.fork_rng(devices=module.devices):
                terms = getattr(module, f"{player}_terms")(batch)
                shapes = {name: list(term.shape) for name, term in terms.items() if term.numel() != 1}
                if shapes:
                    raise UserError(f"terms of the {player} are no single numbers, but of {shapes}: mend them.")
    finally:
        module.verdict = None
        for buffer, value in zip(module.buffers(), before, strict=True):
            buffer.copy_(value)


@contextmanager
def fitting(module: AdversarialModule, what: str) -> Iterator[None]:
    """What fails inside is told as a fault of the configuration.

    Raises:
        UserError: it failed.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        names = " and ".join(f"{player} {type(getattr(module, player)).__name__}" for player in reversed(PLAYERS))
        raise UserError(
            f"{what} fails with these data: {names} do not fit them or one another ({reason(error)})."
        ) from error
