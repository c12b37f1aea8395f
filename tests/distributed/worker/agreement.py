"""Twenty steps of real networks: what every rank then holds, and what each of them has drawn."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from games import RANK, Shards, game, train
from torch import Tensor

from ganlit.augment.adaptive import ADA
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1
from ganlit.networks.images.dcgan import DCDiscriminator, DCGenerator
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator
from ganlit.tasks.synthesis import Synthesis

STEPS = 20
BATCH = 12  # over all ranks
PICTURE = torch.linspace(-1, 1, 16 * 16).view(1, 1, 16, 16)


class ShownADA(ADA):
    """Keeps what each call would make of a picture."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.shown: list[Tensor] = []
        self.strengths: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        with torch.random.fork_rng(devices=[]):
            self.shown.append(super().forward(PICTURE))
        self.strengths.append(self.p.clone())
        return super().forward(images)


class Drawing(Synthesis):
    """Keeps its latents. Shards give items numbers for labels: here every three of them are of one class."""

    drawn: list[Tensor]

    def on_train_start(self) -> None:
        super().on_train_start()
        self.drawn = []

    def training_step(self, batch: Any, batch_idx: int) -> None:
        super().training_step(batch._replace(label=batch.label // 3 % 2), batch_idx)

    def latents(self, label: Tensor) -> Tensor:
        self.drawn.append(super().latents(label))
        return self.drawn[-1]


def adam(lr: float, *betas: float) -> Any:
    return partial(torch.optim.Adam, lr=lr, betas=betas)


def style_game() -> Synthesis:
    torch.manual_seed(RANK)  # ranks need not begin alike: they take over the weights of the first
    size = {"resolution": 16, "channels": 1, "classes": 2, "channel_base": 64, "channel_max": 4}
    return game(
        Drawing,
        generator=StyleGenerator(**size, z_dim=4, w_dim=4, mapping_depth=2),
        discriminator=StyleDiscriminator(**size),
        generator_optimizer=adam(0.002, 0.0, 0.99),
        discriminator_optimizer=adam(0.002, 0.0, 0.99),
        regularizers=[R1(weight=0.1, every=4)],
        generator_regularizers=[PathLength(weight=0.5, every=4)],
        augment=ShownADA(p=0.3, target=0.2, speed=1.0, interval=2),
    )


def convolutional_game() -> Synthesis:
    torch.manual_seed(RANK)
    return game(
        Drawing,
        generator=DCGenerator(16, 1, z_dim=4, width=4),
        discriminator=DCDiscriminator(16, 1, width=4),
        generator_optimizer=adam(0.002, 0.5, 0.999),
        discriminator_optimizer=adam(0.002, 0.5, 0.999),
        regularizers=[R1(weight=0.1, every=2)],
    )


def held(module: Synthesis, trainer: Any) -> dict[str, Tensor]:
    """Everything that training remembers, by name."""
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    for player, optimizer in zip(("discriminator", "generator"), trainer.optimizers, strict=True):
        for number, memory in optimizer.state_dict()["state"].items():
            state |= {
                f"{player} optimizer.{number}.{key}": torch.as_tensor(value).clone() for key, value in memory.items()
            }
    return state


def found() -> dict[str, Any]:
    style = style_game()
    trainer = train(style, Shards(STEPS, (1, 16, 16), BATCH, torch.float32))
    convolutional = convolutional_game()
    other = train(convolutional, Shards(STEPS, (1, 16, 16), BATCH, torch.float32))
    return {
        "held": {"style": held(style, trainer), "convolutional": held(convolutional, other)},
        "latents": {"style": style.drawn, "convolutional": convolutional.drawn},
        "shown": style.augment.shown,
        "strengths": torch.stack(style.augment.strengths),
        "images_seen": style.images_seen,
    }
