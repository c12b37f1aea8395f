"""Networks of sound, as small as can be, and an extractor that hears how loud it is in eight bands."""

from __future__ import annotations

import torch
from points import beside
from torch import Tensor, nn

from ganlit.metrics.features import FeatureExtractor


class Hummer(nn.Sequential):
    """Latents [B, 4], beside the class if it knows any, to waves [B, 1, T]."""

    z_dim = 4

    def __init__(self, segment: int = 256, classes: int = 0) -> None:
        super().__init__(
            nn.Linear(4 + classes, 32), nn.ReLU(), nn.Linear(32, segment), nn.Tanh(), nn.Unflatten(1, (1, -1))
        )
        self.classes = classes

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return super().forward(beside(z, label, self.classes))


class Listener(nn.Sequential):
    """Logits of waves [B, 1, T] of any length, whatever their class."""

    classes = 0

    def __init__(self) -> None:
        super().__init__(nn.Conv1d(1, 8, 16, 4), nn.LeakyReLU(0.2), nn.Conv1d(8, 1, 8, 4))

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        return super().forward(item).mean((1, 2))


class Speaker(nn.Sequential):
    """Spectrograms [B, bands, F] to waves [B, 1, F * hop]; a sample depends on three frames."""

    classes, multiple = 0, 1

    def __init__(self, bands: int = 10, hop: int = 32) -> None:
        super().__init__(nn.Conv1d(bands, hop, 3, padding=1), nn.Tanh())
        self.scale = hop

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        return super().forward(source).transpose(1, 2).flatten(1)[:, None]


class Bands(FeatureExtractor):
    """How loud it is in eight bands, at 4,000 samples a second."""

    name, dim, protocol, batch, wants = "bands", 8, "bands@0/4000", 100, 4000

    def encode(self, items: Tensor) -> dict[str, Tensor]:
        spectra = torch.fft.rfft(items, 512).abs()[:, :256]
        return {"pool": spectra.unflatten(1, (8, 32)).mean(2).add(1e-3).log()}
