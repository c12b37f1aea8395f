"""Games whose every random draw belongs to an item, so that ranks can share a batch and still play the same game."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from ganlit.compute.strategy import AdversarialDDP
from ganlit.contracts import Labelled, Terms
from ganlit.ema import EMA
from ganlit.losses.adversarial import NonSaturating
from ganlit.networks.images.dcgan import DCDiscriminator
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.synthesis import Synthesis

BATCH = 24  # items in a step, over all ranks

table = partial(torch.randn, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
LATENTS = table(BATCH, 4)
DIRECTIONS = table(BATCH, 1, 8, 8)
SHARES = torch.rand(BATCH, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

RANK, WORLD = int(os.environ.get("LOCAL_RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


class SmoothGenerator(nn.Sequential):
    """Any latent to an image [1, 8, 8], with second derivatives everywhere."""

    z_dim = 4
    classes = 0

    def __init__(self) -> None:
        super().__init__(nn.Linear(4, 8), nn.Softplus(), nn.Linear(8, 64), nn.Unflatten(1, (1, 8, 8)))

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return super().forward(z)


class SmoothDiscriminator(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(64, 8), nn.Softplus(), nn.Linear(8, 1))

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        return super().forward(image)[:, 0]


class ExactDCDiscriminator(DCDiscriminator):
    """Does not round its logits to float32."""

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        return self.layers(image).flatten()


class ItemGame(Synthesis):
    """The label of an image is the number of its item, by which all that is random about it is looked up."""

    def discriminator_terms(self, batch: Labelled) -> Terms:
        with self.drawn(batch.label):
            return super().discriminator_terms(batch)

    def generator_terms(self, batch: Labelled) -> Terms:
        with self.drawn(batch.label):
            return super().generator_terms(batch)

    def latents(self, label: Tensor) -> Tensor:
        return LATENTS[label].to(self.dtype)

    @contextmanager
    def drawn(self, label: Tensor) -> Iterator[None]:
        """What `GradientPenalty`, `FiniteR1` and `PathLength` draw, in place of torch's random stream."""

        def rand(count: int, *shape: int, **options: Any) -> Tensor:
            assert (count, *shape) == (len(label), 1, 1, 1)
            return SHARES[label].view(-1, 1, 1, 1)

        with patch("torch.rand", rand), patch("torch.randn_like", lambda images: DIRECTIONS[label[: len(images)]]):
            yield


class Shards(IterableDataset):
    """Of each batch of all ranks, the items r, r + R, r + 2 R, ... for rank r of R."""

    def __init__(
        self, steps: int, shape: tuple[int, ...], batch: int = BATCH, dtype: torch.dtype = torch.float64
    ) -> None:
        self.steps, self.shape, self.batch, self.dtype = steps, shape, batch, dtype

    def __iter__(self) -> Iterator[Labelled]:
        for step in range(self.steps):
            stream = torch.Generator().manual_seed(step)
            image = torch.randn(self.batch, *self.shape, generator=stream, dtype=torch.float64).clamp(-1, 1)
            label = torch.arange(self.batch)
            yield Labelled(image[RANK::WORLD].to(self.dtype), label[RANK::WORLD])


def game(kind: type[AdversarialModule] = ItemGame, **parts: Any) -> AdversarialModule:
    """A small game, the same on every rank."""
    torch.manual_seed(0)
    sgd = partial(torch.optim.SGD, lr=0.05)
    defaults = {
        "generator": SmoothGenerator(),
        "discriminator": SmoothDiscriminator(),
        "loss": NonSaturating(),
        "generator_optimizer": sgd,
        "discriminator_optimizer": sgd,
        "ema": partial(EMA, half_life=0.05, rampup=None),
    }
    return kind(**(defaults | parts))


def trainer_of(**options: Any) -> Trainer:
    """A quiet trainer of all ranks."""
    quiet = dict.fromkeys(
        ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary", "use_distributed_sampler"),
        False,
    )
    several = {"strategy": AdversarialDDP()} if WORLD > 1 else {}
    return Trainer(accelerator="cpu", devices=WORLD, **several, **(quiet | {"max_epochs": 1} | options))


def train(module: LightningModule, shards: Shards, **options: Any) -> Trainer:
    """Trains on this rank's shards, together with the other ranks."""
    trainer = trainer_of(**options)
    trainer.fit(module, DataLoader(shards, batch_size=None))
    return trainer


def flat(tensors: Any) -> Tensor:
    """All numbers of several tensors, in one row."""
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
