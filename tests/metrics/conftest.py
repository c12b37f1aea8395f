from __future__ import annotations

from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from extractors import Tiny
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.records import downloads


class Counting(Tiny):
    """With logits of as many classes as there are features; counts the images that it has seen."""

    batch, classes = 4, 6

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        self.seen.append(len(images))
        pool = super().encode(images)["pool"]
        return {"pool": pool, "logits": 4 * pool}


@pytest.fixture
def tiny() -> Counting:
    return Counting()


@pytest.fixture
def reference() -> Reference:
    """Two classes, bright above and bright below, sorted by class."""
    generator = torch.Generator().manual_seed(3)
    images = torch.randint(0, 120, (60, 3, 4, 4), generator=generator, dtype=torch.uint8)
    images[:30, :, :2] += 100
    images[30:, :, 2:] += 100
    return Reference("halves-train", "abcdef0123", images, torch.arange(60) // 30, ("above", "below"))


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without network, whose cache of weights is empty."""

    def fail(*_: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "urlopen", fail)
    monkeypatch.setattr(downloads, "urlopen", fail)
