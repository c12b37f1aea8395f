"""Feature extractors that need no weights and take no time, in place of the networks whose numbers papers quote."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from ganlit.metrics.features import FeatureExtractor


class Tiny(FeatureExtractor):
    """The mean colours of an image's halves. It can be asked for as any extractor is, and keeps the named options."""

    name, dim, protocol, batch = "tiny", 6, "tiny@0/none", 500
    parts = (2, 1)

    def __init__(self, *_: Any, **options: Any) -> None:
        super().__init__()
        self.options = options
        self.scale = nn.Parameter(torch.tensor(1 / 255))

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        return {"pool": adaptive_avg_pool2d(images * self.scale, self.parts).flatten(1)}


class Quarters(Tiny):
    """The mean colours of an image's quarters, under an id that looks like one of real weights."""

    dim, protocol, parts = 12, "tiny@0a1b2c3d/none", (2, 2)
