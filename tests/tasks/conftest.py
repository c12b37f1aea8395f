"""A game small enough for a test, of points in the plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch
from lightning.pytorch import Trainer
from points import PointDiscriminator, PointGenerator
from torch.utils.data import DataLoader, IterableDataset

from ganlit.contracts import Labelled
from ganlit.ema import EMA
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.regularizers.gradient import R1
from ganlit.tasks.synthesis import Synthesis


class Ring(IterableDataset):
    """Eight Gaussians on a circle: batches of points, each with the number of its mode."""

    deviation = 0.02
    modes = 0.7 * torch.stack([torch.cos(torch.arange(8) * torch.pi / 4), torch.sin(torch.arange(8) * torch.pi / 4)], 1)

    def __init__(self, batch: int, batches: int) -> None:
        self.batch, self.batches = batch, batches

    def __iter__(self) -> Iterator[Labelled]:
        stream = torch.Generator().manual_seed(0)
        for _ in range(self.batches):
            mode = torch.randint(8, (self.batch,), generator=stream)
            points = self.modes[mode] + self.deviation * torch.randn(self.batch, 2, generator=stream)
            yield Labelled(points, mode)


def game(**overrides: object) -> Synthesis:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.99))
    parts = {
        "generator": PointGenerator(),
        "discriminator": PointDiscriminator(),
        "loss": NonSaturating(),
        "generator_optimizer": adam,
        "discriminator_optimizer": adam,
        "regularizers": [R1(weight=0.1, every=4)],
        "ema": partial(EMA, half_life=2.0, rampup=None),
    }
    return Synthesis(**(parts | overrides))


def train(module: Synthesis, batches: int, batch: int = 64, **options: object) -> Trainer:
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = Trainer(max_epochs=1, accelerator="cpu", **(quiet | options))
    trainer.fit(module, DataLoader(Ring(batch, batches), batch_size=None))
    return trainer


@pytest.fixture
def new_game() -> Callable[..., Synthesis]:
    return game


@pytest.fixture
def play_game() -> Callable[..., Trainer]:
    return train
