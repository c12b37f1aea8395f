"""One process with the whole batch, several with shards of it, one with parts one after another: the same mathematics.

In float64, to 1e-10, with latents and every other draw the same function of the item.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

LOSSES = ("NonSaturating", "Minimax", "Hinge", "Wasserstein", "LeastSquares", "Relativistic")
REGULARIZERS = ("none", "R1", "R2", "GradientPenalty", "FiniteR1", "PathLength")
PLAYERS = ("discriminator", "generator")


def close(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        assert value.dtype == torch.float64
        torch.testing.assert_close(
            actual[name], value, rtol=1e-10, atol=1e-12, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.parametrize(
    ("world", "loss", "regularizer"),
    [
        (world, loss, name)
        for world, loss, name in product((2, 3), LOSSES, REGULARIZERS)
        if world < 3 or loss == "Relativistic" or name == "R1"
    ],
)
def test_processes_with_shards_equal_one_with_the_whole_batch(
    found: Any, loss: str, regularizer: str, world: int
) -> None:
    key = f"{loss} {regularizer}"
    (alone,) = found[1]
    assert all(alone["equality"][key][player].norm() > 1e-4 for player in PLAYERS)
    for rank in found[world]:
        close(rank["equality"][key], alone["equality"][key])


@pytest.mark.parametrize("regularizer", REGULARIZERS[1:])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_regularizers_matter_to_what_is_compared(found: Any, loss: str, regularizer: str) -> None:
    games = found[1][0]["equality"]
    player = "generator" if regularizer == "PathLength" else "discriminator"
    bare, regularized = (games[f"{loss} {name}"][player] for name in ("none", regularizer))
    assert (bare - regularized).norm() > 1e-3 * bare.norm()


@pytest.mark.parametrize("accumulate", [2, 4])
@pytest.mark.parametrize("regularizer", REGULARIZERS[:5])
@pytest.mark.parametrize("loss", LOSSES)
def test_accumulated_parts_equal_one_batch(found: Any, loss: str, regularizer: str, accumulate: int) -> None:
    games = found[1][0]["equality"]
    close(games[f"{loss} {regularizer} accumulate={accumulate}"], games[f"{loss} {regularizer}"])


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("accumulate", [2, 4])
@pytest.mark.parametrize("key", ["NonSaturating R1", "Relativistic GradientPenalty"])
def test_processes_that_accumulate_equal_one_batch(found: Any, key: str, accumulate: int, world: int) -> None:
    for rank in found[world]:
        close(rank["equality"][f"{key} accumulate={accumulate}"], found[1][0]["equality"][key])


@pytest.mark.parametrize(("world", "accumulate"), [(1, 2), (1, 4), (2, 1), (2, 2), (3, 1), (3, 2)])
@pytest.mark.parametrize("kind", ["translation", "adaptive", "conditional", "cycle"])
def test_a_translation_is_the_same_on_processes_and_in_parts(
    found: Any, kind: str, accumulate: int, world: int
) -> None:
    """Also by a weight that follows from the gradient of the whole batch, and by a pool of what was made before."""
    whole = found[1][0]["equality"][kind]
    assert all(whole[player].norm() > 1e-4 for player in PLAYERS)
    key = kind if accumulate == 1 else f"{kind} accumulate={accumulate}"
    for rank in found[world]:
        close(rank["equality"][key], whole)


@pytest.mark.parametrize(("world", "accumulate"), [(1, 2), (1, 4), (2, 1), (2, 2), (3, 1), (3, 2)])
@pytest.mark.parametrize("kind", ["roll-outs", "learned baseline", "gumbel"])
def test_a_game_of_texts_is_the_same_on_processes_and_in_parts(
    found: Any, kind: str, accumulate: int, world: int
) -> None:
    """Also what is written on from each place, and the baseline and the roll-out policy that follow from all of it."""
    whole = found[1][0]["equality"][kind]
    assert all(whole[player].norm() > 1e-4 for player in PLAYERS)
    for rank in found[world]:
        close(rank["equality"][kind if accumulate == 1 else f"{kind} accumulate={accumulate}"], whole)


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize("accumulate", ["", " accumulate=2"])
@pytest.mark.parametrize(("player", "limit"), [("discriminator", 0.02), ("generator", 0.01)])
def test_each_player_is_clipped_by_the_norm_of_the_whole_gradient(
    found: Any, player: str, limit: float, accumulate: str, world: int
) -> None:
    if player == "generator":  # which answers to a discriminator that has moved less: compared with one process
        expected = found[1][0]["equality"]["clipped"]["generator"]
        torch.testing.assert_close(expected.norm(), torch.tensor(limit).double(), rtol=1e-4, atol=0)
    else:
        weight = torch.nn.Parameter(torch.zeros_like(found[1][0]["equality"]["not clipped"][player]))
        weight.grad = found[1][0]["equality"]["not clipped"][player].clone()
        assert clip_grad_norm_([weight], limit) > 2 * limit
        expected = weight.grad
    for rank in found[world]:
        actual = rank["equality"][f"clipped{accumulate}"][player]
        torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-12)
