"""Toys in place of runs on the disk: the run's name says which."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from styles import real, stand_in


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs were trained on."""
    for command in ("resemble", "saliency"):
        monkeypatch.setattr(
            f"ganlit.studies.latent.{command}.data_of", lambda run: SimpleNamespace(trained_of=lambda field: real(run))
        )
