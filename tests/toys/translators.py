"""Generators that take data, as small as can be, and a discriminator that hands out what is inside it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from ganlit.contracts import Judgement, Made


class Translator(nn.Module):
    """Any items [B, *shape] to such items, by a latent whose posterior it hands out; smooth, and without chance."""

    classes = 0

    def __init__(self, shape: tuple[int, ...] = (1, 8, 8), latent: int = 4) -> None:
        super().__init__()
        numbers = math.prod(shape)
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(numbers, 8), nn.Softplus(), nn.Linear(8, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, 8), nn.Softplus(), nn.Linear(8, numbers), nn.Unflatten(1, shape))

    def forward(self, source: Tensor, label: Tensor) -> Made:
        mean, spread = self.encoder(source).chunk(2, dim=1)
        return Made(self.decoder(mean), {"posterior": Normal(mean, spread.exp(), validate_args=False), "latent": mean})


class Judge(nn.Module):
    """Logits of items [B, *shape], and the features before them."""

    classes = 0

    def __init__(self, shape: tuple[int, ...] = (1, 8, 8)) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), 8), nn.Softplus())
        self.last = nn.Linear(8, 1)

    def forward(self, item: Tensor, label: Tensor) -> Judgement:
        inside = self.first(item)
        return Judgement([self.last(inside)[:, 0]], [[inside]])


class Sampler(Translator):
    """Draws from the posterior while it is trained, has batch statistics, and knows a prior."""

    def __init__(self, shape: tuple[int, ...] = (1, 16, 16), latent: int = 4) -> None:
        super().__init__(shape, latent)
        self.norm = nn.BatchNorm1d(latent)
        self.latent = latent

    def encode(self, source: Tensor, label: Tensor) -> Made:
        mean, spread = self.encoder(source).chunk(2, dim=1)
        posterior = Normal(mean, spread.exp(), validate_args=False)
        return Made(posterior.rsample() if self.training else mean, {"posterior": posterior})

    def decode(self, latent: Tensor, label: Tensor) -> Tensor:
        return self.decoder(self.norm(latent)).tanh()

    def prior(self, label: Tensor) -> Tensor:
        return torch.randn(len(label), self.latent, device=label.device)

    def forward(self, source: Tensor, label: Tensor) -> Made:
        latent, side = self.encode(source, label)
        return Made(self.decode(latent, label), side)
