"""Games of points, small and sound, as an audit takes them; tests break them one by one."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from points import PointDiscriminator, PointGenerator
from torch import Tensor, nn

from ganlit.contracts import Labelled, Made, Pair
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.quantization import Codebook, Commitment
from ganlit.losses.reconstruction import L1
from ganlit.losses.regularizers.gradient import R1
from ganlit.networks.pairs import ThereAndBack
from ganlit.networks.quantizers import Quantizer, VectorQuantizer
from ganlit.studies.audit.game import Game
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.cycle import CycleTranslation
from ganlit.tasks.synthesis import Synthesis
from ganlit.tasks.translation import Translation


class Mover(nn.Module):
    """Points to points."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 8), nn.Softplus(), nn.Linear(8, 2))

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        return self.layers(source)


class Coder(nn.Module):
    """Points to points, by codes."""

    def __init__(self, quantizer: Quantizer) -> None:
        super().__init__()
        self.codes = quantizer.codes
        self.encoder = nn.Sequential(nn.Linear(2, 8), nn.Softplus(), nn.Linear(8, quantizer.dim))
        self.bottleneck = quantizer
        self.decoder = nn.Linear(quantizer.dim, 2)

    def forward(self, source: Tensor, label: Tensor) -> Made:
        latent, side = self.bottleneck(self.encoder(source))
        return Made(self.decoder(latent), side)


def points(batch: int = 12) -> Tensor:
    return torch.randn(batch, 2, generator=torch.Generator().manual_seed(0))


def synthesis(kind: type[Synthesis] = Synthesis, **parts: Any) -> Game:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.99))
    given = {
        "generator": PointGenerator(width=8),
        "discriminator": PointDiscriminator(width=8),
        "loss": NonSaturating(),
        "generator_optimizer": adam,
        "discriminator_optimizer": adam,
        "regularizers": [R1(weight=0.1, every=2)],
    }
    return audited(kind(**(given | parts)), Labelled(points(), torch.zeros(12, dtype=torch.int64)))


def translation(kind: type[Translation] = Translation, **parts: Any) -> Game:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.99))
    given = {
        "generator": Mover(),
        "discriminator": PointDiscriminator(width=8),
        "loss": NonSaturating(),
        "criteria": [L1()],
        "generator_optimizer": adam,
        "discriminator_optimizer": adam,
    }
    return audited(kind(**(given | parts)), Pair(points(), points().flip(0)))


def cycle(kind: type[CycleTranslation] = CycleTranslation, **parts: Any) -> Game:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.99))
    given = {
        "generator": ThereAndBack(Mover(), Mover()),
        "discriminator": ThereAndBack(PointDiscriminator(width=8), PointDiscriminator(width=8)),
        "loss": NonSaturating(),
        "cycle": [L1()],
        "generator_optimizer": adam,
        "discriminator_optimizer": adam,
    }
    return audited(kind(**(given | parts)), Pair(points(), points().flip(0)))


def coding(quantizer: Quantizer, **parts: Any) -> Game:
    """A translation by codes."""
    torch.manual_seed(0)
    codebook = [Codebook(), Commitment()] if isinstance(quantizer, VectorQuantizer) else []
    return translation(generator=Coder(quantizer), criteria=[L1(), *codebook], **parts)


def audited(module: AdversarialModule, batch: Any) -> Game:
    return Game(module, batch, torch.device("cpu"))
