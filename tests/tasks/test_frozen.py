"""What is frozen does not move at all, and what is not moves as ever."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from noises import Noises
from torch import Tensor, nn

from ganlit.augment.adaptive import ADA
from ganlit.callbacks.budget import Budget
from ganlit.contracts import Labelled, Made
from ganlit.ema import EMA
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.reconstruction import L1
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1
from ganlit.networks.images.dcgan import DCDiscriminator, DCGenerator
from ganlit.networks.images.stylegan import StyleGenerator
from ganlit.networks.quantizers import VectorQuantizer
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.clocked import PLAYERS, Player
from ganlit.tasks.synthesis import Synthesis
from ganlit.tasks.translation import Translation

BATCH = 8


def styles(**overrides: Any) -> Synthesis:
    """Mean styles, batch statistics, schedules, penalties of both players, parts of a batch."""
    torch.manual_seed(0)
    adam = partial(torch.optim.AdamW, lr=1e-2, betas=(0.5, 0.99), weight_decay=0.1)
    size = {"z_dim": 4, "w_dim": 4, "mapping_depth": 1, "channel_base": 64, "channel_max": 4}
    parts = {
        "generator": StyleGenerator(16, channels=1, classes=2, style_mixing=0.5, **size),
        "discriminator": DCDiscriminator(16, channels=1, width=2),
        "loss": NonSaturating(),
        "generator_optimizer": adam,
        "discriminator_optimizer": adam,
        "regularizers": [R1(weight=0.1, every=2)],
        "generator_regularizers": [PathLength(weight=0.1, every=2)],
        "augment": ADA(p=0.3, target=0.0, speed=0.1, interval=2),
        "ema": partial(EMA, half_life=0.02),
        "accumulate": 2,
        "generator_clip": 0.5,
    }
    return Synthesis(**(parts | overrides))


def plain() -> Synthesis:
    """Batch statistics in both players, and no penalty."""
    torch.manual_seed(0)
    return styles(generator=DCGenerator(16, channels=1, z_dim=4, width=2), regularizers=[], generator_regularizers=[])


class Coder(nn.Module):
    """Images [B, 1, 16, 16] to themselves, through four codes that follow what they stand for."""

    codes = 4

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 2, 4, 4), nn.BatchNorm2d(2))
        self.quantizer = VectorQuantizer(4, 2, half_life=0.01, patience=0.01)
        self.decoder = nn.Sequential(nn.ConvTranspose2d(2, 1, 4, 4), nn.BatchNorm2d(1), nn.Tanh())

    def forward(self, source: Tensor, label: Tensor) -> Made:
        quantized = self.quantizer(self.encoder(source))
        return Made(self.decoder(quantized.output), quantized.side)


def coder() -> Translation:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-2)
    return Translation(
        criteria=[L1()],
        generator=Coder(),
        discriminator=DCDiscriminator(16, channels=1, width=2),
        loss=NonSaturating(),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        ema=partial(EMA, half_life=0.02),
        accumulate=2,
    )


def fit(module: AdversarialModule, *callbacks: Callback, steps: int = 6) -> None:
    off = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    callbacks = [Budget(steps * BATCH / 1000), *callbacks]
    trainer = Trainer(accelerator="cpu", max_epochs=-1, num_sanity_val_steps=0, callbacks=[*callbacks], **off)
    trainer.fit(module, Noises(batch=BATCH, tick=2 * BATCH / 1000, val_images=BATCH))


def below(module: AdversarialModule, *prefixes: str) -> list[str]:
    return [name for name in module.state_dict() if name.startswith(prefixes)]


def copied(module: AdversarialModule) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


class Spoil(Callback):
    """Gives one batch that is not finite."""

    def on_train_batch_start(self, trainer: Trainer, pl_module: Synthesis, batch: Labelled, *_: Any) -> None:
        if pl_module.images_seen == 2 * BATCH:
            batch.item[0] = torch.nan


PARTS = {
    "the first layers of both": (styles, "generator.constant", "generator.layers.0.", "discriminator.layers.0."),
    "the mapping and its mean": (styles, "generator.mapping.", "generator.w_mean"),
    "a buffer in a part that learns": (styles, "generator.w_mean"),
    "layers with batch statistics": (plain, "generator.layers.0", "generator.layers.1.", "discriminator.layers.3."),
    "the discriminator": (plain, "discriminator."),
    "the encoder and its codes": (coder, "generator.encoder.", "generator.quantizer."),
}


@pytest.mark.parametrize("name", PARTS)
def test_what_is_frozen_stays_and_all_else_moves(name: str) -> None:
    make, *prefixes = PARTS[name]
    module = make()
    frozen = below(module, *prefixes)
    averages = [f"ema.module.{each.removeprefix('generator.')}" for each in frozen if each.startswith("generator.")]
    module.keep_still(frozen)
    before = copied(module)
    fit(module, Spoil())
    assert module.skipped or name == "the discriminator"
    after = module.state_dict()
    still = {each for each in before if torch.equal(before[each], after[each])}
    assert {*frozen, *averages} <= still
    players = below(module, "generator.", "discriminator.", "ema.")
    assert not still & {*players} - {*frozen, *averages}


def test_nothing_is_remembered_of_what_is_frozen() -> None:
    module = styles()
    module.keep_still(below(module, "generator.mapping.", "discriminator.layers.0."))
    fit(module, steps=2)
    for player, optimizer in zip(PLAYERS, module.trainer.optimizers, strict=True):
        learning = [each for each in getattr(module, player).parameters() if not module.frozen.holds(each)]
        assert {*optimizer.state} == {*learning}
        assert 0 < len(learning) < len(list(getattr(module, player).parameters()))


def test_a_part_that_is_frozen_as_a_whole_is_never_in_training_mode() -> None:
    module = plain()
    module.keep_still(below(module, "generator.layers.1.", "discriminator.layers.3.running"))
    modes: set[tuple[bool, ...]] = set()

    class Watch(Callback):
        def on_train_batch_end(self, trainer: Trainer, pl_module: Synthesis, *_: Any) -> None:
            parts = (
                module.generator.layers[1],
                module.generator.layers[4],
                module.generator,
                module.discriminator.layers[3],
            )
            modes.add(tuple(part.training for part in parts))

    fit(module, Watch())
    assert modes == {(False, True, True, True)}  # before validations and after them
    assert not module.train().generator.layers[1].training


def test_a_frozen_part_answers_to_no_other_item_of_the_batch() -> None:
    """As batch normalisation in training mode would."""
    module = plain()
    module.keep_still(below(module, "discriminator."))
    module.train()
    items = torch.randn(4, 1, 16, 16)
    logits = module.discriminator(items, torch.zeros(4))
    torch.testing.assert_close(module.discriminator(items[:2], torch.zeros(2)), logits[:2])


def test_a_player_of_which_nothing_learns_has_no_turn() -> None:
    module = styles(n_critic=2)
    module.keep_still(below(module, "discriminator."))
    turns: list[tuple[Player, int]] = []
    play = module.play
    module.play = lambda player, batch: turns.append((player, module.images_seen)) or play(player, batch)
    fit(module, steps=4)
    assert turns == [("generator", BATCH), ("generator", 3 * BATCH)]
    assert module.augment.p == torch.tensor(0.3)
    assert not module.trainer.optimizers[0].state


def test_a_loss_that_does_not_reach_what_learns_is_told_of() -> None:
    module = styles(generator_regularizers=[])
    module.generator.idle = nn.Linear(2, 2)
    module.keep_still([name for name in below(module, "generator.") if ".idle." not in name])
    with pytest.raises(UserError, match="no term of the generator depends on what of it learns"):
        fit(module, steps=1)


def test_a_copy_is_frozen_alike() -> None:
    module = styles()
    module.keep_still(below(module, "discriminator."))
    twin = copy.deepcopy(module)
    assert twin.frozen.holds_all(twin.discriminator)
    assert not twin.frozen.holds_all(module.discriminator)
    assert not twin.frozen.holds_all(twin.generator)


def test_names_that_there_are_not_are_no_names() -> None:
    with pytest.raises(KeyError, match=r"generator\.nothing"):
        styles().keep_still(["generator.nothing"])
