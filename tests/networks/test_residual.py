"""Levels of codes: each one codes what is left, the first ones alone are a coarser code, and ranks agree."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.networks import ranks
from ganlit.networks.residual import ResidualQuantizer

MAPS = pytest.mark.parametrize("options", [{}, {"code_dim": 3, "cosine": True}], ids=["plain", "cosine"])


def made(**options: Any) -> ResidualQuantizer:
    torch.manual_seed(0)
    return ResidualQuantizer(**({"levels": 3, "codes": 8, "dim": 4, "patience": 0.02} | options)).double()


def latents(seed: int, batch: int = 16, places: int = 5) -> Tensor:
    """[B, 4, places] float64."""
    return torch.randn(batch, 4, places, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def started(**options: Any) -> ResidualQuantizer:
    quantizer = made(**options)
    quantizer(latents(0))
    return quantizer


@MAPS
def test_each_level_codes_what_those_before_it_have_left(options: dict[str, Any]) -> None:
    quantizer, latent = started(**options).eval(), latents(1)
    output, side = quantizer(latent)
    rest, total = latent, torch.zeros_like(latent)
    for place, level in enumerate(quantizer.quantizers):
        part, own = level(rest)
        rest, total = rest - part, total + part
        for name in ("codes", "latent", "quantized"):
            torch.testing.assert_close(side[name][:, place], own[name])
    torch.testing.assert_close(output, total)
    assert side["codes"].shape == (16, 3, 5)
    assert torch.equal(quantizer.embedded(side["codes"]), output)


def test_the_first_levels_alone_are_a_coarser_code() -> None:
    quantizer, latent = started().eval(), latents(0)
    output, side = quantizer(latent)
    distances = []
    for levels in (1, 2, 3):
        quantizer.levels = levels
        coarse, fewer = quantizer(latent)
        assert torch.equal(fewer["codes"], side["codes"][:, :levels])
        assert torch.equal(coarse, quantizer.embedded(side["codes"][:, :levels]))
        distances.append(float((coarse - latent).square().mean()))
    assert torch.equal(coarse, output)
    assert distances[0] > 1.5 * distances[1] > 2.25 * distances[2]
    quantizer.levels = 1
    assert quantizer.train()(latent).side["codes"].shape == (16, 3, 5)  # levels are for use alone


@MAPS
def test_in_training_some_items_keep_the_first_levels_alone(options: dict[str, Any]) -> None:
    quantizer, latent = started(dropout=0.5, patience=None, **options), latents(1, batch=2000, places=1)
    output, side = quantizer(latent)
    partial = [quantizer.embedded(side["codes"][:, :levels]) for levels in (1, 2, 3)]
    kept = torch.stack([(output - each).abs().amax(dim=(1, 2)) < 1e-9 for each in partial], dim=1)
    assert (kept.sum(dim=1) == 1).all()
    shares = kept.double().mean(dim=0)
    torch.testing.assert_close(shares, torch.tensor([1 / 6, 1 / 6, 2 / 3]).double(), atol=0.04, rtol=0)
    counts = kept.int().argmax(dim=1) + 1
    for level in range(3):
        for name in ("latent", "quantized"):
            assert torch.equal(side[name][:, level].abs().amax(dim=(1, 2)) > 0, level < counts)
    quantizer.eval()
    assert torch.equal(quantizer(latent).output, quantizer.embedded(quantizer(latent).side["codes"]))


def test_gradients_go_straight_through_to_the_latent_and_to_codebooks_by_quantized_alone() -> None:
    quantizer, latent = started(), latents(1).requires_grad_()
    output, side = quantizer(latent)
    slopes = torch.randn_like(output)
    (gradient,) = torch.autograd.grad((output * slopes).sum(), latent, retain_graph=True)
    torch.testing.assert_close(gradient, slopes)
    side["quantized"].sum().backward()
    for place, level in enumerate(quantizer.quantizers):
        used = side["codes"][:, place].flatten().bincount(minlength=8).double()
        torch.testing.assert_close(level.codebook.weight.grad, used[:, None].expand(8, 4))


def test_every_weight_is_trained() -> None:
    quantizer = started(code_dim=3, cosine=True, dropout=0.5)
    output, side = quantizer(latents(1))
    (output.square().mean() + side["quantized"].square().sum(dim=-1).sqrt().mean()).backward()
    assert [name for name, each in quantizer.named_parameters() if each.grad is None or not each.grad.any()] == []


def test_levels_begin_with_the_centres_of_what_is_left() -> None:
    """Sums of one of four and one of four small vectors are two levels of four codes."""
    stream = torch.Generator().manual_seed(0)
    coarse, fine = (size * torch.eye(4).double() for size in (10.0, 1.0))
    drawn = torch.randint(4, (2, 200), generator=stream)
    latent = (coarse[drawn[0]] + fine[drawn[1]])[:, :, None]
    quantizer = made(levels=2, codes=4)
    output, side = quantizer(latent)
    assert len(side["codes"][:, 0].unique()) == len(side["codes"][:, 1].unique()) == 4
    assert (output - latent).abs().max() < 1.0
    first = (quantizer.embedded(side["codes"][:, :1]) - latent).square().mean()
    assert (output - latent).square().mean() < 0.5 * first


def step(quantizer: ResidualQuantizer, part: Tensor, over: Callable[[Tensor], Tensor]) -> None:
    """One of SGD by all three terms, as the engine takes it: `over` is the mean over ranks."""
    quantizer.zero_grad()
    output, side = quantizer(part.clone().requires_grad_())
    codebook = (side["quantized"] - side["latent"].detach()).square().mean()
    commitment = (side["quantized"].detach() - side["latent"]).square().mean()
    ((output - part).square().mean() + codebook + 0.25 * commitment).backward()
    with torch.no_grad():
        for parameter in quantizer.parameters():
            parameter -= 0.1 * over(parameter.grad)
        for buffer in quantizer.buffers():
            if buffer.is_floating_point():
                buffer.copy_(over(buffer))


@MAPS
@pytest.mark.parametrize("half_life", [None, 0.05], ids=["gradient", "average"])
def test_ranks_equal_one_process(
    on_ranks: Callable[..., list[Any]], options: dict[str, Any], half_life: float | None
) -> None:
    def trained(world: int) -> list[ResidualQuantizer]:
        quantizers = [made(half_life=half_life, **options) for _ in range(world)]

        def train(rank: int) -> None:
            for place in range(6):
                whole = latents(place, batch=12) + 4 * (place > 3)
                step(quantizers[rank], whole[rank::world], lambda tensor: ranks.total(tensor) / world)

        on_ranks(world, train)
        return quantizers

    (alone,) = trained(1)
    for rank in trained(2):
        for name, value in alone.state_dict().items():
            torch.testing.assert_close(rank.state_dict()[name], value, rtol=1e-9, atol=1e-9, msg=name)


def test_bfloat16_reaches_neither_distances_nor_state() -> None:
    plain, cast = (made(code_dim=3, cosine=True).float() for _ in range(2))
    batch = latents(0).float()
    expected = plain(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = cast(batch)
        assert cast(batch.bfloat16()).output.dtype == torch.float32
    assert torch.equal(found.output, expected.output)
    assert torch.equal(found.side["codes"], expected.side["codes"])


def test_a_copy_has_levels_of_its_own() -> None:
    quantizer = made()
    copy = deepcopy(quantizer)
    copy.levels = 1
    assert quantizer.levels == 3


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: made(levels=0), r"ResidualQuantizer\.levels is 0"),
        (lambda: made(dropout=1.5), r"ResidualQuantizer\.dropout is 1\.5"),
        (lambda: made(codes=0), "codes is 0"),
        (lambda: setattr(made(), "levels", 4), "levels is 4: it must be at least 1 and at most 3"),
        (lambda: setattr(made(), "levels", 0), "levels is 0"),
        (lambda: made().embedded(torch.zeros(1, 4, 5, dtype=torch.long)), "levels of codes is 4"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        act()
