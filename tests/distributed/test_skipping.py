"""NaN on one rank only: no rank takes the step, and all go on from the same state."""

from __future__ import annotations

from typing import Any

import pytest
import torch

BAD_IMAGES, BAD_LATENTS, STEPS = 1, 3, 6
WORLDS = pytest.mark.parametrize("world", [2, 3])
GAMES = pytest.mark.parametrize("game", ["style", "convolutional"])


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor], prefix: str) -> set[str]:
    return {
        name
        for name in after
        if name.startswith(prefix) and not torch.equal(before.get(name, after[name]), after[name])
    }


@WORLDS
@GAMES
def test_all_ranks_skip_the_same_turns_and_count_them(found: Any, game: str, world: int) -> None:
    expected = [(step != BAD_IMAGES, step != BAD_LATENTS) for step in range(STEPS)]
    for rank in found[world]:
        assert rank["skipping"][game]["turns"] == expected
        skipped = rank["skipping"][game]["skipped"]
        assert set(skipped.values()) == {1}
        assert [name.partition("/")[0] for name in skipped] == ["discriminator", "generator"]


@WORLDS
@GAMES
def test_all_ranks_hold_the_same_finite_state_after_every_step(found: Any, game: str, world: int) -> None:
    first, *others = [rank["skipping"][game]["states"] for rank in found[world]]
    for step, state in enumerate(first):
        assert all(tensor.isfinite().all() for tensor in state.values())
        for other in others:
            assert [name for name in state if not torch.equal(state[name], other[step][name])] == []


@WORLDS
@GAMES
def test_a_skipped_turn_and_no_other_leaves_all_buffers_as_they_were(found: Any, game: str, world: int) -> None:
    for rank in found[world]:
        played = rank["skipping"][game]
        assert played["stood"] == [not taken for turns in played["turns"] for taken in turns]


@WORLDS
@GAMES
@pytest.mark.parametrize(
    ("player", "step"), [("discriminator", BAD_IMAGES), ("generator", BAD_LATENTS)], ids=["discriminator", "generator"]
)
def test_a_skipped_turn_leaves_no_trace_and_the_next_is_taken(
    found: Any, player: str, step: int, game: str, world: int
) -> None:
    states = found[world][0]["skipping"][game]["states"]
    before, after, later = states[step - 1 : step + 2]
    parameters = [name for name in before if name.startswith(f"{player}.") and name.endswith(("weight", "bias"))]
    assert parameters
    assert not {*moved(before, after, f"{player} optimizer"), *(moved(before, after, f"{player}.") & set(parameters))}
    assert moved(after, later, f"{player} optimizer")
    assert moved(after, later, f"{player}.") & set(parameters)
