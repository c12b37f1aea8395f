"""Toys in place of runs on the disk, and of who looks at them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from styles import stand_in

from ganlit.studies.explore.keeping import Keeper
from ganlit.studies.explore.session import Session
from ganlit.studies.explore.studio import Studio
from ganlit.studies.latent.subject import Subject


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)


@pytest.fixture
def visit() -> Callable[..., Session]:
    """A tab on a run."""

    def open_(run: str = "styled", out: str | None = None, steps: int = 20) -> Session:
        studio = Studio(Subject(run, together=8), steps=steps)
        return Session(studio, Keeper(studio.subject, out))

    return open_
