"""The mechanics of two players: who learns when, from what, and by which clock."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ganlit.augment.base import Augment
from ganlit.contracts import Labelled, Sampled
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.regularizers.gradient import R1
from ganlit.tasks.step import stateless_seed


def weights(module: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten().clone() for parameter in module.parameters()])


def test_one_step_equals_the_game_written_by_hand(new_game: Callable, play_game: Callable) -> None:
    sgd = partial(torch.optim.SGD, lr=0.1)
    module = new_game(generator_optimizer=sgd, discriminator_optimizer=sgd, regularizers=[R1(weight=0.3, every=4)])
    g, d = copy.deepcopy(module.generator), copy.deepcopy(module.discriminator)
    trainer = play_game(module, batches=1, batch=16)
    batch = next(iter(trainer.train_dataloader))

    torch.manual_seed(stateless_seed(0, 0, 0))
    fake = g(torch.randn(16, 4), batch.label).detach()
    real = batch.item.clone().requires_grad_()
    logits = d(real, batch.label)
    (slope,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    adversarial = -logits.sigmoid().log().mean() - (1 - d(fake, batch.label).sigmoid()).log().mean()
    penalty = 4 * 0.3 / 2 * slope.square().sum(dim=1).mean()
    for parameter, gradient in zip(d.parameters(), torch.autograd.grad(adversarial + penalty, d.parameters())):  # noqa: B905
        parameter.data -= 0.1 * gradient
    objective = -d(g(torch.randn(16, 4), batch.label), batch.label).sigmoid().log().mean()
    for parameter, gradient in zip(g.parameters(), torch.autograd.grad(objective, g.parameters())):  # noqa: B905
        parameter.data -= 0.1 * gradient

    torch.testing.assert_close(weights(module.discriminator), weights(d), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(weights(module.generator), weights(g), rtol=1e-5, atol=1e-6)


def test_the_norms_of_gradients_are_logged_as_they_were_before_clipping(
    new_game: Callable, play_game: Callable
) -> None:
    sgd = partial(torch.optim.SGD, lr=0.5)
    clip = {"discriminator_clip": 1e-3, "generator_clip": 1e-3}
    norms = []
    for clips in ({}, clip):
        module = new_game(generator_optimizer=sgd, discriminator_optimizer=sgd, regularizers=[], **clips)
        before = weights(module.discriminator)
        metrics = play_game(module, batches=1, batch=16).callback_metrics
        moved = (weights(module.discriminator) - before).norm() / 0.5
        norms.append((float(metrics["gradient/discriminator"]), float(moved)))
    (plain, step), (clipped, short) = norms
    assert plain == pytest.approx(step, rel=1e-4)
    assert clipped == plain
    assert short == pytest.approx(1e-3, rel=1e-2)
    assert float(metrics["gradient/generator"]) > 0


def test_the_latest_logits_are_kept_without_their_graph(new_game: Callable, play_game: Callable) -> None:
    module = new_game(accumulate=2)
    play_game(module, batches=2, batch=16)
    assert {name: (len(each), each.requires_grad) for name, each in module.logits.items()} == {
        "real": (8, False),
        "fake": (8, False),
    }
    assert module.verdict is None


def test_the_clock_counts_images_and_lazy_terms_follow_it(new_game: Callable, play_game: Callable) -> None:
    module = new_game(regularizers=[R1(weight=0.1, every=4)])
    seen: list[int] = []
    module.regularizers[0].register_forward_hook(lambda *_: seen.append(module.images_seen))
    trainer = play_game(module, batches=10, batch=16)
    assert module.images_seen == 160
    assert module.kimg == pytest.approx(0.16)
    assert seen == [0, 4 * 16, 8 * 16]
    assert {"kimg", "discriminator/adversarial", "generator/adversarial"} <= set(trainer.callback_metrics)
    assert "discriminator/r1" in trainer.callback_metrics


def test_real_and_generated_images_pass_one_augmentation_for_both_players(
    new_game: Callable, play_game: Callable
) -> None:
    class Recorder(Augment):
        def __init__(self) -> None:
            super().__init__()
            self.needs_gradient: list[bool] = []

        def forward(self, images: Tensor) -> Tensor:
            self.needs_gradient.append(images.requires_grad)
            return images

    module = new_game(augment=Recorder(), regularizers=[])
    play_game(module, batches=1)
    assert module.augment.needs_gradient == [False, False, True]  # D sees real and fake, G sees its own


def test_each_player_moves_only_its_own_network(new_game: Callable, play_game: Callable) -> None:
    still = partial(torch.optim.SGD, lr=0.0)
    for frozen, moving in (("generator", "discriminator"), ("discriminator", "generator")):
        module = new_game(**{f"{frozen}_optimizer": still})
        before = {player: weights(getattr(module, player)) for player in (frozen, moving)}
        play_game(module, batches=3)
        assert torch.equal(before[frozen], weights(getattr(module, frozen)))
        assert not torch.equal(before[moving], weights(getattr(module, moving)))


def test_a_step_depends_on_seed_and_clock_alone(new_game: Callable, play_game: Callable) -> None:
    results = []
    for noise in (1, 2):
        module = new_game()
        torch.manual_seed(noise)  # whatever was drawn before does not matter
        play_game(module, batches=5)
        results.append(weights(module.ema))
    assert torch.equal(*results)
    other = new_game(seed=1)
    play_game(other, batches=5)
    assert not torch.equal(results[0], weights(other.ema))


def test_seeds_differ_between_ranks_and_steps() -> None:
    seeds = {
        stateless_seed(seed, rank, images) for seed in range(3) for rank in range(8) for images in range(0, 640, 32)
    }
    assert len(seeds) == 3 * 8 * 20


def test_validation_repeats_its_latents_and_leaves_the_random_stream(new_game: Callable, play_game: Callable) -> None:
    module = new_game()
    play_game(module, batches=1)
    batch = Labelled(torch.zeros(8, 2), torch.zeros(8, dtype=torch.long))
    torch.manual_seed(5)
    first: Sampled = module.validation_step(batch, 0)
    drawn = torch.rand(1)
    second = module.validation_step(batch, 0)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))
    assert torch.equal(first.output, second.output)
    assert not torch.equal(first.output, module.validation_step(batch, 1).output)


def test_a_checkpoint_brings_back_weights_average_optimizers_and_clock(
    new_game: Callable, play_game: Callable, tmp_path: Path
) -> None:
    module = new_game()
    trainer = play_game(module, batches=5)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    checkpoint = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert checkpoint["images_seen"] == module.images_seen == 320
    assert len(checkpoint["optimizer_states"]) == 2
    restored = new_game(loss=NonSaturating())
    restored.load_state_dict(checkpoint["state_dict"])
    assert torch.equal(weights(restored.ema), weights(module.ema))
    assert torch.equal(weights(restored.discriminator), weights(module.discriminator))
