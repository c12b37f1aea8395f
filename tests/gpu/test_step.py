"""A training step on a device is that of the CPU, depends on nothing but the clock, and seldom waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from duels import HERE, DrawnHere, duel, example, in_parts, mend, plain, return_trip, state, trained
from places import Place, Recorder, relative

from ganlit.augment.adaptive import ADA
from ganlit.metrics.features import exact_float32
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.synthesis import Synthesis

pytestmark = pytest.mark.gpu

FLOAT32 = 1e-4  # relative, of weights after two steps: sums in another order, met with in second derivatives
BF16 = 0.05  # relative, of losses and lengths of gradients whose products have eight bits

GAMES = {
    "plain gradient steps": duel,
    "Adam, in parts, clipped": lambda: duel(in_parts),
    "translation": mend,
    "cycle": return_trip,
}


@pytest.mark.parametrize("name", GAMES)
def test_two_steps_are_those_of_the_cpu(place: Place, name: str, record_property: Recorder) -> None:
    with DrawnHere(), exact_float32():
        one = trained(GAMES[name](), 2, HERE)
        with place.there():
            other = trained(GAMES[name](), 2, place.trainer())
    found = relative(state(other), state(one))
    record_property("relative distance to the CPU", found)
    assert one.latest.keys() == other.latest.keys()
    assert not other.skipped
    assert found < FLOAT32


def test_two_steps_in_bf16_are_near_those_in_float32(computer: dict[str, Any], record_property: Recorder) -> None:
    with DrawnHere(), exact_float32():
        one = trained(duel(), 2, HERE)
        other = trained(duel(), 2, computer, precision="bf16-mixed")
    found = {name: relative({name: value}, {name: one.latest[name]}) for name, value in other.latest.items()}
    record_property("relative distance of losses and gradients to the CPU in float32", max(found.values()))
    assert not other.skipped
    assert 0 < max(found.values()) < BF16
    penalties = max(found["discriminator/r1"], found["generator/pathlength"])
    assert penalties < 1e-3 + FLOAT32, "they are computed in float32, from weights that have moved once"


def test_a_step_moves_all_that_learns_or_remembers(place: Place) -> None:
    """Else that devices agree would mean nothing."""
    before = state(duel())
    with place.there():
        after = state(trained(duel(), 2, place.trainer()))
    assert {name for name in before if torch.equal(before[name], after[name])} <= {"augment.images"}


def test_a_step_seeds_the_device(place: Place, record_property: Recorder) -> None:
    """Whatever random numbers were drawn before, on the device too."""

    def game() -> Synthesis:
        return duel(lambda: plain(augment=ADA(p=0.9)))

    with place.there() as device:
        one, other = game(), game()
        trained(one, 2, place.trainer())
        torch.manual_seed(99)
        torch.randn(1000, device=device)
        trained(other, 2, place.trainer())
    found = relative(state(other), state(one))
    record_property("relative distance between two runs", found)
    assert found < FLOAT32


def test_what_is_sampled_leaves_the_random_stream_as_it_was(place: Place) -> None:
    with place.there() as device:
        module = duel().to(device)
        data = module.transfer_batch_to_device(example(), device, 0)
        first = module.sampled(data, turn=3).output
        torch.manual_seed(5)
        expected = torch.randn(4, device=device)
        torch.manual_seed(5)
        again = module.sampled(data, turn=3).output
        assert torch.equal(torch.randn(4, device=device), expected)
        assert torch.equal(again, first)
        assert not torch.equal(module.sampled(data, turn=4).output, first)


WAITS = {"tasks/base.py": 2}  # each turn's verdict on its own step
"""How often a step may wait, by file: every other wait would be a new one."""


@pytest.mark.parametrize("game", [duel, mend, return_trip])
def test_a_step_seldom_waits_for_the_device(
    place: Place, game: Callable[[], AdversarialModule], record_property: Recorder
) -> None:
    """Of two further steps, so that the beginning and the end of a training do not count."""
    with place.there():
        found = []
        for steps in (2, 4):
            with place.waits() as waits:
                trained(game(), steps, place.trainer())
            found.append(waits)
    files: dict[str, float] = {}
    for asker, times in (found[1] - found[0]).items():
        file = asker.partition(":")[0]
        files[file] = files.get(file, 0) + times / 2
    record_property("waits a step", sum(files.values()))
    if place.name == "cuda":  # where files are those that call torch
        assert sum(files.values()) <= sum(WAITS.values())
    else:
        assert {file: times for file, times in files.items() if times > WAITS.get(file, 0)} == {}
