"""What sees images where the weights of the FID's Inception cannot be had."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlit.metrics.features import FeatureExtractor, digest


class StandIn(FeatureExtractor):
    """Convolutions that nobody has trained: a distance through them tells whether images come nearer, and no more."""

    name, dim, batch = "untrained", 256, 256

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.stages = nn.ModuleList(nn.Conv2d(*maps, 4, 2, 1) for maps in ((3, 64), (64, 64), (64, 128)))
        self.protocol = f"{self.name}@{digest(self.state_dict())}/none"

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        """The mean maps of each of its three sizes, [B, 64 + 64 + 128]."""
        x, pooled = images.float() / 127.5 - 1, []
        for stage in self.stages:
            x = nn.functional.leaky_relu(stage(x), 0.2)
            pooled.append(x.mean((2, 3)))
        return {"pool": torch.cat(pooled, dim=1)}
