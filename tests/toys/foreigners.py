"""Networks of others, and adapters for them: what they take and call things is not the house's."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Theirs(nn.Module):
    """Noise [B, z, 1, 1] and classes by their shares [B, K] to images: one layer, with names of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.main = nn.Sequential(nn.ConvTranspose2d(6, 3, 16), nn.Tanh())

    def forward(self, noise: Tensor, shares: Tensor) -> Tensor:
        return self.main(torch.cat([noise, shares[:, :, None, None]], 1))


class Adapted(Theirs):
    z_dim, classes = 4, 2

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return super().forward(z[:, :, None, None], nn.functional.one_hot(label, 2).to(z))


class Unsaid(Theirs):
    """An adapter that forgets what it takes."""

    classes = 2


class Failing(Adapted):
    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return Theirs.forward(self, z, label)


class Oblong(Adapted):
    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return super().forward(z, label)[:, :, :8]


class Styles(Theirs):
    """What comes before its layer are styles, of which it takes the first."""

    z_dim, classes = 6, 0

    def styles(self, z: Tensor, label: Tensor) -> Tensor:
        return z[:, None].expand(-1, 2, -1)

    def synthesise(self, styles: Tensor) -> Tensor:
        return self.main(styles[:, 0, :, None, None])

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return self.synthesise(self.styles(z, label))


class Torn(Styles):
    def synthesise(self, styles: Tensor) -> Tensor:
        return super().synthesise(styles)[:, :1]

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return super().synthesise(self.styles(z, label))
