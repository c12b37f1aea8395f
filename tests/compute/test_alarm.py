"""A rank that rings while its own look at the store is under way still ends by itself, with its own exit code."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from torch.distributed import TCPStore

from ganlit.compute import alarm
from ganlit.compute.alarm import KEY, Alarm


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The codes with which a process would have ended at once."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(alarm.atexit, "register", lambda *_: None)
    return codes


@pytest.fixture
def store() -> TCPStore:
    return TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False, timeout=timedelta(seconds=10))


def alarm_at(store: TCPStore) -> Alarm:
    return Alarm("127.0.0.1", store.port, [], pause=0.001, patience=0.0)


@pytest.mark.parametrize("code", [0, 3])
def test_another_rank_that_rings_ends_this_one_with_its_code(store: TCPStore, left: list[int], code: int) -> None:
    here, there = alarm_at(store), alarm_at(store)
    there.ring(code)
    here.run()
    assert left == [code]


@pytest.mark.parametrize("code", [0, 3])
def test_its_own_ring_does_not_end_it(store: TCPStore, left: list[int], code: int) -> None:
    class Slow:
        """A look whose answer comes after the main thread has rung."""

        def check(self, keys: list[str]) -> bool:
            here.store = store
            here.ring(code)
            return store.check(keys)

    here = alarm_at(store)
    here.store = Slow()
    here.run()
    assert store.get(KEY) == str(code).encode()
    assert left == []
