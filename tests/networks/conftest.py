"""Ranks that are threads, for networks that ask those of other ranks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import torch.distributed as dist

from ganlit.networks import ranks


class Rank(threading.local):
    """One of several threads that talk by gloo, as processes do."""

    group: dist.ProcessGroupGloo | None = None

    def stand_in(self) -> SimpleNamespace:
        """In place of torch.distributed."""
        return SimpleNamespace(
            is_available=lambda: True,
            is_initialized=lambda: self.group is not None,
            get_world_size=lambda: self.group.size(),
            all_reduce=lambda tensor: self.group.allreduce([tensor]).wait(),
            all_gather=lambda parts, tensor: self.group.allgather([parts], [tensor]).wait(),
        )


@pytest.fixture
def on_ranks(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[int], Any]], list[Any]]:
    """What each of so many ranks makes of its number."""
    here = Rank()
    monkeypatch.setattr(ranks, "dist", here.stand_in())

    def answers(world: int, task: Callable[[int], Any]) -> list[Any]:
        store = dist.HashStore()

        def become(rank: int) -> Any:
            here.group = dist.ProcessGroupGloo(store, rank, world, timedelta(seconds=30))
            return task(rank)

        with ThreadPoolExecutor(world) as pool:
            return list(pool.map(become, range(world)))

    return answers
