from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from audited import synthesis, translation
from points import PointDiscriminator, PointGenerator
from torch import Tensor, nn

from ganlit.losses.weight import AdaptiveWeight, Weight
from ganlit.studies.audit.game import Game
from ganlit.studies.audit.turns import apartness, movement, played, stillness, waiting
from ganlit.tasks.clocked import PLAYERS, Player
from ganlit.tasks.synthesis import Synthesis


def moves(game: Game, player: Player, steps: int = 3) -> Any:
    return movement(game, played(game, game.clock(len(game.few[0])), steps), player)


@pytest.mark.parametrize("player", PLAYERS)
@pytest.mark.parametrize(
    "game",
    [
        synthesis,
        partial(synthesis, generator_clip=0.1, discriminator_clip=0.1),
        translation,
        partial(translation, adversarial=AdaptiveWeight(0.5, start=2.0, lead=1.0)),
    ],
)
def test_players_of_a_sound_game_move(game: Callable[[], Game], player: Player) -> None:
    assert moves(game(), player).status == "ok"


def test_with_several_steps_of_the_critic_both_move() -> None:
    game = synthesis(n_critic=3)
    found = played(game, 0, 9)
    assert [movement(game, found, player).status for player in PLAYERS] == ["ok", "ok"]
    assert [len(found.turns[player]) for player in PLAYERS] == [9, 3]


def test_a_discriminator_without_a_turn_is_told_of(fails: Any) -> None:
    class Alone(Synthesis):
        def plays(self, player: Player) -> bool:
            return player == "generator"

    fails(moves(synthesis(Alone), "discriminator"), "6 of 6", "in 0 turns", "plays()")
    assert moves(synthesis(Alone), "generator").status == "ok"


def test_an_optimizer_that_makes_no_step_is_told_of(fails: Any) -> None:
    class Idle(Synthesis):
        def play(self, player: Player, batch: Any) -> bool:
            self.differentiate(player, batch)
            return True

    fails(moves(synthesis(Idle), "discriminator"), "6 of 6", "discriminator_optimizer never made a step")


@pytest.mark.parametrize("player", PLAYERS)
def test_a_learning_rate_of_zero_is_told_of(player: Player, fails: Any) -> None:
    game = synthesis(**{f"{player}_optimizer": partial(torch.optim.SGD, lr=0.0)})
    fails(moves(game, player), "6 of 6", f"learning rate of {player}_optimizer is 0")


def test_an_optimizer_of_other_parameters_is_told_of(fails: Any) -> None:
    game = synthesis(discriminator_optimizer=lambda parameters: torch.optim.SGD(list(parameters)[:-2], lr=0.1))
    fails(moves(game, "discriminator"), "2 of 6", "4 (weight, bias)", "discriminator_optimizer does not hold them")


class Spare(PointGenerator):
    """Has a layer that nobody calls."""

    def __init__(self, width: int = 8) -> None:
        super().__init__(width=width)
        self.spare = nn.Linear(3, 3)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        for layer in list(self)[:-1]:
            z = layer(z)
        return z


def test_a_layer_that_is_not_used_is_told_of(fails: Any) -> None:
    fails(moves(synthesis(generator=Spare()), "generator"), "2 of 8", "spare (weight, bias)", "No term", "freeze them")


def test_a_turn_that_cannot_be_played_is_told_of(fails: Any) -> None:
    class Silent(Synthesis):
        def generator_terms(self, batch: Any) -> Any:
            with torch.no_grad():
                return super().generator_terms(batch)

    fails(moves(synthesis(Silent), "generator"), "the generator's turn fails", "no term of the generator depends on")
    assert moves(synthesis(Silent), "discriminator", steps=1).status == "ok"


def test_what_begins_at_zero_has_moved_by_the_last_step() -> None:
    discriminator = PointDiscriminator(width=8)
    nn.init.zeros_(discriminator[-1].weight)
    assert moves(synthesis(discriminator=discriminator), "discriminator").status == "ok"


def test_steps_that_are_skipped_are_told_of(fails: Any) -> None:
    class Infinite(Synthesis):
        def generator_terms(self, batch: Any) -> Any:
            return {name: term * torch.inf for name, term in super().generator_terms(batch).items()}

    game = synthesis(Infinite)
    game.module.register_buffer("mark", torch.zeros(()))
    fails(moves(game, "generator"), "Each of its steps was skipped", "generator/adversarial")


def test_turns_of_a_sound_game_are_apart() -> None:
    assert apartness(synthesis()).status == "ok"
    assert apartness(translation(adversarial=AdaptiveWeight())).status == "ok"


class Careless(Synthesis):
    """Forgets some of what the base class does about gradients."""

    switches, clears = True, True

    def play(self, player: Player, batch: Any) -> bool:
        for other in PLAYERS:
            getattr(self, other).requires_grad_(other == player or not self.switches)
        optimizer = self.optimizers()[PLAYERS.index(player)]
        if self.clears:
            optimizer.zero_grad()
        self.differentiate(player, batch)
        optimizer.step()
        return True


def test_gradients_left_in_the_other_player_are_told_of(fails: Any) -> None:
    class Leaving(Careless):
        switches = False

    said = ("the generator's turn leaves gradients in the discriminator", "0 (weight, bias)", "requires_grad off")
    fails(apartness(synthesis(Leaving)), *said)


def test_gradients_that_add_up_are_told_of(fails: Any) -> None:
    class Adding(Careless):
        clears = False

    fails(apartness(synthesis(Adding)), "was left in the discriminator", "zero_grad()")


def test_the_discriminator_waits_for_its_lead() -> None:
    assert waiting(synthesis()) is None
    assert waiting(translation()) is None
    waits = waiting(translation(adversarial=Weight(start=2.0, lead=0.5)))
    assert (waits.status, "waits until 1.5 kimg" in waits.seen) == ("ok", True)
    leads = waiting(translation(adversarial=Weight(start=2.0, lead=2.0)))
    assert (leads.status, "learns alone" in leads.seen) == ("ok", True)


def test_a_discriminator_that_does_not_wait_is_told_of(fails: Any) -> None:
    from ganlit.tasks.translation import Translation

    class Early(Translation):
        def plays(self, player: Player) -> bool:
            return True

    fails(
        waiting(translation(Early, adversarial=Weight(start=2.0))), "the discriminator moves at 0 kimg", "from 2 kimg"
    )


def test_a_verdict_that_never_counts_asks_for_no_discriminator() -> None:
    game = translation(adversarial=Weight(weight=0.0))
    assert moves(game, "discriminator").status == "does not apply"
    assert moves(game, "generator").status == "ok"


class Held(PointGenerator):
    """Holds a part still, batch statistics included, or means to."""

    def __init__(self, moving: bool = False) -> None:
        super().__init__(width=8)
        self.norm = nn.BatchNorm1d(4).requires_grad_(False)
        self.norm.train(moving)
        self.moving = moving

    def train(self, mode: bool = True) -> Held:
        super().train(mode)
        self.norm.train(mode and self.moving)
        return self

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        z = self.norm(z)
        for layer in list(self)[:-1]:
            z = layer(z)
        return z


class Respectful(Synthesis):
    """Lets what is frozen be: as the engine does of what it knows to be."""

    def play(self, player: Player, batch: Any) -> bool:
        frozen = self.generator.norm
        values = [each.clone() for each in frozen.parameters()]
        taken = super().play(player, batch)
        for each, value in zip(frozen.parameters(), values, strict=True):
            each.data.copy_(value)
        return taken


def test_what_is_kept_still_by_name_stays() -> None:
    game = synthesis()
    game.module.keep_still(["generator.0.weight", "generator.0.bias"])
    assert moves(game, "generator").seen.startswith("all 4 trained")
    assert still(game).status == "ok"
    game = synthesis()
    game.module.keep_still([f"discriminator.{name}" for name, _ in game.module.discriminator.named_parameters()])
    assert moves(game, "discriminator").status == "does not apply"


def still(game: Game) -> Any:
    return stillness(game, played(game, 0, 2))


def test_what_is_frozen_stays(fails: Any) -> None:
    assert still(synthesis()).status == "does not apply"
    found = still(synthesis(Respectful, generator=Held()))
    assert (found.status, found.seen) == ("ok", "5 parameters and buffers are as they were")
    moving = synthesis(Respectful, generator=Held(moving=True))
    fails(
        still(moving), "3 have moved", "generator.norm (num_batches_tracked, running_mean, running_var)", "evaluation"
    )
