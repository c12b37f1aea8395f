"""After twenty steps all ranks hold the same, bit by bit, although each has drawn its own latents and augmentations."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
import torch

STEPS = 20
WORLDS = pytest.mark.parametrize("world", [2, 3])
GAMES = pytest.mark.parametrize("game", ["style", "convolutional"])


@WORLDS
@GAMES
def test_weights_averages_statistics_and_optimizers_are_the_same_on_all_ranks(
    found: Any, game: str, world: int
) -> None:
    first, *others = [rank["agreement"]["held"][game] for rank in found[world]]
    for other in others:
        assert first.keys() == other.keys()
        assert [name for name in first if not torch.equal(first[name], other[name])] == []
    assert all(tensor.isfinite().all() for tensor in first.values())


@GAMES
def test_what_is_compared_has_moved(found: Any, game: str) -> None:
    held = found[2][0]["agreement"]["held"][game]
    wanted = {
        "style": ("generator.w_mean", "ema.module.w_mean", "augment.p", "generator_regularizers.0.mean"),
        "convolutional": ("generator.layers.1.running_mean", "discriminator.layers.3.running_mean"),
    }[game]
    for name in (*wanted, "generator optimizer.0.exp_avg_sq", "discriminator optimizer.0.exp_avg_sq"):
        assert held[name].abs().sum() > 0, name
    counts = {name: int(value) for name, value in held.items() if name.endswith("num_batches_tracked")}
    # In a step a generator runs in both players' turns, a discriminator on real and generated images and in G's turn.
    assert set(counts.values()) == (set() if game == "style" else {2 * STEPS, 3 * STEPS})


@WORLDS
def test_the_augmentation_adapts(found: Any, world: int) -> None:
    first, *others = [rank["agreement"] for rank in found[world]]
    assert first["images_seen"] == STEPS * 12
    assert len(first["strengths"].unique()) > STEPS // 4
    assert first["strengths"].min() > 0
    assert all(torch.equal(first["strengths"], other["strengths"]) for other in others)


@WORLDS
@GAMES
def test_latents_differ_between_ranks_steps_and_turns(found: Any, game: str, world: int) -> None:
    drawn = [latents for rank in found[world] for latents in rank["agreement"]["latents"][game]]
    assert len(drawn) == world * STEPS * 2
    rows = torch.cat(drawn)
    assert len(rows.unique(dim=0)) == len(rows)


@WORLDS
def test_augmentations_differ_between_ranks(found: Any, world: int) -> None:
    shown = [torch.cat(rank["agreement"]["shown"]) for rank in found[world]]
    for one, other in combinations(shown, 2):
        assert one.shape == other.shape == (3 * STEPS, 1, 16, 16)
        same = (one == other).flatten(1).all(1).float().mean()
        assert same < 0.3  # where both have left the picture as it is
