"""An eye that sees two numbers of an image, and three classes by these."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.probe import Probe
from ganlit.studies.latent.eye import Eye


class Brightness(FeatureExtractor):
    """The mean of the left half and that of the right half."""

    name, dim, protocol, batch = "brightness", 2, "brightness@0/none", 64

    def encode(self, items: Tensor) -> dict[str, Tensor]:
        return {"pool": torch.stack([half.float().flatten(1).mean(1) for half in items.chunk(2, 3)], 1)}


def eye(probe: bool = True) -> Eye:
    mean, scale = torch.full((2,), 128.0), torch.full((2,), 10.0)
    weight, bias = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]), torch.zeros(3)
    found = Probe(mean, scale, weight, bias, 1.0, 9) if probe else None
    return Eye(Brightness(), lambda stored: stored, mean, scale, found, ("left", "dark", "right"), "toys@0")
