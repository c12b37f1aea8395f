from __future__ import annotations

from typing import Any

import pytest
import torch
from audited import Mover, cycle, synthesis, translation
from points import PointDiscriminator, PointGenerator
from torch import Tensor, nn

from ganlit.contracts import Made
from ganlit.losses.adversarial import Hinge, Relativistic, Wasserstein
from ganlit.losses.quantization import Codebook
from ganlit.losses.weight import Weight
from ganlit.studies.audit import turns
from ganlit.studies.audit.findings import Finding
from ganlit.studies.audit.game import Game
from ganlit.studies.audit.reach import loss_on_discriminator, verdict_on_generator
from ganlit.tasks.cycle import CycleTranslation
from ganlit.tasks.synthesis import Synthesis
from ganlit.tasks.translation import Translation


def verdict(game: Game) -> Finding:
    return verdict_on_generator(game, game.copy())


def test_in_a_sound_game_all_is_reached() -> None:
    for game in (synthesis(), translation(), translation(adversarial=Weight(start=3.0, ramp=1.0)), cycle()):
        assert verdict(game).status == "ok"
        assert loss_on_discriminator(game, game.copy()).status == "ok"


def test_both_ways_of_a_cycle_are_asked(fails: Any) -> None:
    class Deaf(CycleTranslation):
        def judge(self, way: str, label: Any) -> Any:
            door = super().judge(way, label)
            return door if way == "there" else lambda items: door(items.detach())

    fails(verdict(cycle(Deaf)), "misses 4 of 8", "back.layers.0 (weight, bias)")


class Detached(Mover):
    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        return super().forward(source, label).detach()


def test_a_detached_output_is_told_of(fails: Any) -> None:
    fails(verdict(translation(generator=Detached())), "misses 4 of 4", "layers.0 (weight, bias)", "detached, or made")


def test_a_verdict_on_a_detached_output_is_told_of_though_criteria_teach_it(fails: Any) -> None:
    class Deaf(Translation):
        def seen(self, pair: Any, made: Made) -> Any:
            found = super().seen(pair, made)
            door = found.critic
            found.critic = lambda items: door(items.detach())
            return found

    fails(verdict(translation(Deaf)), "misses 4 of 4", "between the generator's output and the term")


def test_a_loss_under_no_grad_is_told_of(fails: Any) -> None:
    class Silent(Synthesis):
        def adversarial(self, player: Any, verdict: Any) -> Tensor:
            with torch.no_grad():
                return super().adversarial(player, verdict)

    fails(verdict(synthesis(Silent)), "misses 6 of 6", "under no_grad")
    game = synthesis(Silent, regularizers=[])
    fails(loss_on_discriminator(game, game.copy()), "misses 6 of 6", "under no_grad")


def test_a_unit_that_never_opens_is_told_of(fails: Any) -> None:
    generator = PointGenerator(width=8)
    nn.init.constant_(generator[2].bias, -1e6)
    fails(
        verdict(synthesis(generator=generator)), "misses 5 of 6", "0 (weight, bias)", "at 3 (ReLU), behind 2 (Linear)"
    )
    discriminator = PointDiscriminator(width=8)
    discriminator[1] = nn.Threshold(1e6, 0.0)
    game = synthesis(discriminator=discriminator)
    found = loss_on_discriminator(game, game.copy())
    fails(found, "0 (weight, bias)", "The gradient ends at 1 (Threshold), behind 0 (Linear)")


def test_a_layer_that_is_not_called_is_told_of(fails: Any) -> None:
    generator = Mover()
    generator.spare = nn.Linear(2, 2)
    fails(verdict(translation(generator=generator)), "misses 2 of 6", "spare (Linear) is never called")


@pytest.mark.parametrize("loss", [Hinge, Wasserstein, Relativistic])
def test_where_real_and_generated_items_cancel_nothing_is_cut_off(loss: type) -> None:
    discriminator = PointDiscriminator(width=8)
    nn.init.normal_(discriminator[-1].weight, std=0.01)  # within Hinge's margin
    game = synthesis(loss=loss(), discriminator=discriminator)
    played = turns.played(game, 0, 3)
    for found in (turns.movement(game, played, "discriminator"), loss_on_discriminator(game, played.module)):
        assert found.status == "ok", found


def test_what_is_frozen_need_not_be_reached() -> None:
    game = translation(generator=Mover())
    game.module.keep_still(["generator.layers.0.weight", "generator.layers.0.bias"])
    assert verdict(game).seen == "all 2 trained parameters"


class Quantized(Mover):
    """Rounds to the nearest of a few vectors, straight through."""

    def __init__(self) -> None:
        super().__init__()
        self.book = nn.Parameter(torch.randn(5, 2))

    def forward(self, source: Tensor, label: Tensor) -> Made:
        latent = self.layers[0](source)[:, :2]
        chosen = self.book[torch.cdist(latent, self.book).argmin(dim=1)]
        through = latent + (chosen - latent).detach()
        output = self.layers[2](self.layers[1](torch.cat([through] * 4, dim=1)))
        return Made(output, {"latent": latent, "quantized": chosen})


def test_a_codebook_may_learn_by_other_terms(fails: Any) -> None:
    found = verdict(translation(generator=Quantized(), criteria=[Codebook()]))
    assert (found.status, "other terms teach: book" in found.seen) == ("ok", True)
    fails(verdict(translation(generator=Quantized())), "misses 1 of 5 trained parameters: book")


def test_a_game_without_an_adversarial_term_is_told_of(fails: Any) -> None:
    class Renamed(Synthesis):
        def generator_terms(self, batch: Any) -> Any:
            return {"fool": super().generator_terms(batch)["adversarial"]}

    fails(verdict(synthesis(Renamed)), "names fool", "no term adversarial")
    assert verdict(translation(adversarial=Weight(weight=0.0))).status == "does not apply"
