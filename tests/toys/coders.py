"""An autoencoder that hands out all that metrics read of one, a task of it, and data of which it makes others."""

from __future__ import annotations

from functools import partial

import torch
from noises import Noises
from torch import Tensor, nn
from torch.distributions import Distribution, Normal
from torch.nn.functional import adaptive_avg_pool2d
from torch.utils.data import Dataset

from ganlit.contracts import Made, Pair, Reference
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.reconstruction import L1
from ganlit.tasks.translation import Translation

SIDE = 16


class Coder(nn.Module):
    """Grey images to the brightness of their upper and lower half, and back; codes are those of the upper half."""

    classes, codes = 0, 16

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, source: Tensor, label: Tensor) -> Made:
        latent, side = self.encode(source, label)
        output = self.decode(latent, label)
        return Made(output, side | {"likelihood": self.likelihood(output)})

    def encode(self, source: Tensor, label: Tensor) -> Made:
        halves = adaptive_avg_pool2d(source, (2, 1)).flatten(1) * self.scale
        codes = ((halves[:, :1] + 1) / 2 * self.codes).long().clamp(0, self.codes - 1)
        return Made(halves, {"posterior": Normal(halves, 0.2), "codes": codes})

    def decode(self, latent: Tensor, label: Tensor) -> Tensor:
        return latent[:, None, :, None].repeat_interleave(SIDE // 2, 2).expand(-1, 1, SIDE, SIDE)

    def likelihood(self, output: Tensor) -> Distribution:
        return Normal(output, 0.5)

    def prior(self, label: Tensor) -> Tensor:
        return torch.randn(len(label), 2, device=label.device).clamp(-1, 1)


class Bare(nn.Module):
    """Gives back what it is given, and hands out nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        return source * self.scale


class Judge(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(SIDE * SIDE, 1)

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        return self.layer(item.flatten(1))[:, 0]


def translation(generator: nn.Module | None = None) -> Translation:
    sgd = partial(torch.optim.SGD, lr=0.05)
    return Translation(
        [L1()],
        generator=generator or Coder(),
        discriminator=Judge(),
        loss=NonSaturating(),
        generator_optimizer=sgd,
        discriminator_optimizer=sgd,
    )


class Pairs(Dataset):
    def __init__(self, sources: Tensor, targets: Tensor) -> None:
        self.sources, self.targets = sources, targets

    def __getitem__(self, places: Tensor) -> Pair:
        return Pair(self.sources[places], self.targets[places])

    def __len__(self) -> int:
        return len(self.sources)


class Negatives(Noises):
    """Images of which each is to become its negative."""

    @property
    def reference(self) -> Reference:
        return super().reference._replace(name="negatives", items=255 - self.noises.item)

    @property
    def dataset(self) -> Pairs:
        return Pairs(self.noises.item, 255 - self.noises.item)
