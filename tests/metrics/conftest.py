from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from ganlit.contracts import Reference
from ganlit.metrics.features import FeatureExtractor


class Tiny(FeatureExtractor):
    """Six means of an image's halves, and logits of as many classes; counts the images that it has seen."""

    name = "tiny"
    dim = 6
    protocol = "tiny@0/none"
    batch = 4
    classes = 6

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1 / 255))
        self.seen: list[int] = []

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        self.seen.append(len(images))
        pool = adaptive_avg_pool2d(images * self.scale, (2, 1)).flatten(1)
        return {"pool": pool, "logits": 4 * pool}


@pytest.fixture
def tiny() -> Tiny:
    return Tiny()


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
