"""Toys in place of runs on the disk: the run's name says which."""

from __future__ import annotations

import pytest
from styles import stand_in


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)
