"""How a run is killed, and what runs have left: read, and compared bit for bit."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor

from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.tasks.base import AdversarialModule

OF_THE_MACHINE = ("time/", "speed/", "memory/")  # columns of metrics.csv that no two runs share


class Killed(Exception):
    """The process ends here."""


class Kill(Callback):
    """Ends the process when one of its hooks is called at a clock of a branch, perhaps after saving."""

    def __init__(self, clock: int, hook: str = "on_train_batch_end", branch: int = 0, save: bool = False) -> None:
        def act(trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
            if (pl_module.branch, pl_module.images_seen) == (branch, clock):
                if save:
                    next(each for each in trainer.callbacks if isinstance(each, Checkpoints)).save(trainer, pl_module)
                raise Killed

        setattr(self, hook, act)


def checkpoint(run: Path, name: str = "last") -> dict[str, Any]:
    return torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)


def rows_of(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def numbers_of(run: Path) -> list[dict[str, str]]:
    """The rows without what depends on the machine."""
    return [{name: value for name, value in row.items() if not name.startswith(OF_THE_MACHINE)} for row in rows_of(run)]


def stream(notes: Path, world: int) -> dict[int, list[int]]:
    """By the clock, the shades of a batch in the order of the stream: rank r has noted items r, r + world, ..."""
    files = [notes / f"served-{rank}" for rank in range(world)]
    shares = [
        {int(clock): list(map(int, shades)) for clock, *shades in map(str.split, file.read_text().splitlines())}
        for file in files
    ]
    return {
        clock: [shade for together in zip(*(share[clock] for share in shares), strict=True) for shade in together]
        for clock in shares[0]
    }


def same(one: Any, other: Any) -> bool:
    """Whether two nests of containers hold the same, tensors bit for bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
