from __future__ import annotations

import pytest
from audited import synthesis, translation
from points import PointDiscriminator, PointGenerator

from ganlit.studies.audit import costs
from ganlit.studies.audit.costs import Costs


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "SECONDS", 0.05)


def found() -> Costs:
    return costs.costs(synthesis(generator=PointGenerator(width=8), discriminator=PointDiscriminator(width=16)))


def test_parameters_and_their_large_parts_are_counted() -> None:
    discriminator, generator = found().players
    assert (discriminator.parameters, generator.parameters) == (2 * 16 + 16 + 256 + 16 + 16 + 1, 40 + 72 + 18)
    assert list(generator.parts.items()) == [("2", 72), ("0", 40), ("4", 18)]
    assert discriminator.trained == discriminator.parameters


def test_operations_of_a_turn_are_counted() -> None:
    """Forward and backward of linear layers, two operations for each weight; what is before a network costs nothing."""
    discriminator, generator = found().players
    d, g = 2 * (32 + 256 + 16), 2 * (32 + 64 + 16)
    # its own two passes forward, weights' gradients twice, and inputs' but for the first layer's; G's pass before
    assert discriminator.flops == g + 2 * (d + d + (d - 64))
    assert generator.flops == (g + g + (g - 64)) + 2 * d
    assert discriminator.penalised > discriminator.flops
    assert generator.penalised == generator.flops


def test_what_is_frozen_is_not_trained() -> None:
    game = synthesis()
    game.module.keep_still(["generator.0.weight"])
    assert costs.costs(game).players[1].trained == 130 - 32


def test_time_and_memory_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "SECONDS", 1e4)  # no machine is so busy that it would take a smaller batch
    monkeypatch.setattr(costs, "MOST", 3)
    spent = found()
    assert spent.items == 12
    assert 0 < spent.speed < 12 / sum(each.seconds for each in spent.players)
    assert 1e8 < spent.memory < 1e11
    assert costs.document(spent)["players"][0]["player"] == "discriminator"
    assert len(costs.table(spent).rows) == 2


def test_several_steps_of_the_critic_are_timed_as_such() -> None:
    game = synthesis(n_critic=3)
    assert costs.costs(game).players[1].seconds > 0
    assert costs.costs(translation()).players[0].flops > 0


@pytest.mark.parametrize(
    ("count", "said"), [(None, "not counted"), (7, "7"), (1234567, "1.23 M"), (2_500_000_000, "2.5 G")]
)
def test_large_numbers_are_short(count: int | None, said: str) -> None:
    assert costs.short(count) == said
