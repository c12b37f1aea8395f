"""Toys in place of runs on the disk: the run's name says which."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from styles import made, real

from ganlit.data.images.modality import ImageModality
from ganlit.data.video.modality import VideoModality


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlit.studies.evaluation.trained.load", lambda run, checkpoint: made(run))

    def setting(run: str) -> SimpleNamespace:
        modality = VideoModality() if run == "clips" else ImageModality()
        return SimpleNamespace(data=SimpleNamespace(modality=modality), fidelity={})

    monkeypatch.setattr("ganlit.studies.latent.subject.setting", setting)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs were trained on."""
    for command in ("resemble", "saliency"):
        monkeypatch.setattr(
            f"ganlit.studies.latent.{command}.data_of", lambda run: SimpleNamespace(trained_of=lambda field: real(run))
        )
