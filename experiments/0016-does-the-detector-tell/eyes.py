"""The feature space in which the truth is measured: fixed filters of digits, cheap enough for every validation."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.metrics.features import FeatureExtractor, digest
from ganlit.metrics.filters import described, filters

SEEN = 768  # numbers of the filters


class Eyes(FeatureExtractor):
    """What the class probe of `modes` looks at, in 64 fixed directions: of so many, 250 images tell a covariance."""

    name, dim, batch = "eyes", 64, 32

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filters", filters())
        directions = torch.randn(SEEN, self.dim, generator=torch.Generator().manual_seed(0)) / SEEN**0.5
        self.register_buffer("directions", directions)
        self.protocol = f"{self.name}@{digest([self.filters, self.directions])}/grey"

    def encode(self, items: Tensor) -> dict[str, Tensor]:
        grey = items.float().mean(1, keepdim=True) / 255
        return {"pool": described(grey, self.filters) @ self.directions}
