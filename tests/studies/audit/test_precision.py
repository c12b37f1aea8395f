from __future__ import annotations

from typing import Any

import torch
from audited import coding, synthesis, translation
from points import PointDiscriminator, PointGenerator
from torch import Tensor, nn

from ganlit.networks.quantizers import VectorQuantizer
from ganlit.studies.audit.game import Game
from ganlit.studies.audit.precision import Numbers, compared, finite, numbers


class Vanishing(nn.Module):
    """One over what is far from zero, but rounds to it in bfloat16."""

    def forward(self, x: Tensor) -> Tensor:
        small = (x * 0 + 1.0009765625) - 1.0  # 2 ** -10, of which bfloat16 has no trace beside 1
        rounded = small if x.dtype == torch.float32 else small * 0
        return x + 0 / rounded


def marked(game: Game) -> Game:
    """The same with a buffer, as most games have some."""
    game.module.register_buffer("mark", torch.zeros(()))
    return game


def test_a_sound_game_is_finite_and_close_in_both() -> None:
    for game in (synthesis(), translation()):
        full, mixed = finite(game)
        assert (full.status, mixed.status) == ("ok", "ok")
        assert "outputs differ by 0." in mixed.seen
        assert float(mixed.seen.split("differ by ")[1].split("%")[0]) > 0


def test_what_is_infinite_in_bfloat16_alone_is_named(fails: Any) -> None:
    discriminator = PointDiscriminator(width=8)
    discriminator.insert(1, Vanishing())
    full, mixed = finite(marked(synthesis(discriminator=discriminator, regularizers=[])))
    assert full.status == "ok"
    fails(mixed, "discriminator/adversarial", "The first to give such is discriminator.1 (Vanishing)", "32-true")


def test_what_is_infinite_in_both_is_named(fails: Any) -> None:
    generator = PointGenerator(width=8)
    nn.init.constant_(generator[2].weight, torch.inf)
    for found in finite(marked(synthesis(generator=generator))):
        fails(found, "not finite: ", "The first to give such is generator.2 (Linear)")


def test_codes_that_changed_are_told() -> None:
    full = Numbers({}, torch.ones(2, 3), torch.tensor([[1, 2], [3, 4]]), [], None)
    assert compared(full, full).seen == "outputs differ by 0.00%"
    mixed = full._replace(output=torch.tensor([[1.1] * 3, [2.0] * 3]), codes=torch.tensor([[1, 2], [3, 5]]))
    seen = compared(full, mixed).seen
    assert seen.startswith("outputs differ by 71.06% (10.00% in items that keep their codes: rounding changes 25.0% of")
    assert "71.06% (rounding changes 100.0% of the" in compared(full, mixed._replace(codes=full.codes + 1)).seen


def test_the_codes_of_a_game_are_compared() -> None:
    found = numbers(coding(VectorQuantizer(16, 3)), "bf16-mixed").codes
    assert (found.shape, found.dtype) == ((6,), torch.int64)
