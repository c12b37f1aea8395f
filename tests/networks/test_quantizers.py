"""Codes: which vector stands for which, how the codebook learns, and what ranks and resumed runs make of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ganlit.ema import EMA
from ganlit.errors import UserError
from ganlit.networks import ranks
from ganlit.networks.quantizers import Quantizer, ScalarQuantizer, VectorQuantizer

MODES = pytest.mark.parametrize("half_life", [None, 0.05], ids=["gradient", "average"])


def latents(seed: int, batch: int = 8, dim: int = 4, places: int = 5) -> Tensor:
    """[B, dim, places] float64, around a few centres."""
    stream = torch.Generator().manual_seed(seed)
    centres = 3 * torch.randn(6, dim, generator=torch.Generator().manual_seed(99), dtype=torch.float64)
    which = torch.randint(6, (batch, places), generator=stream)
    noise = torch.randn(batch, places, dim, generator=stream, dtype=torch.float64)
    return (centres[which] + 0.3 * noise).movedim(-1, 1)


def descend(quantizer: VectorQuantizer, *parts: Tensor, over: Callable[[Tensor], Tensor] = lambda each: each) -> None:
    """A step of SGD by all three terms of VQ-VAE, on micro-batches; `over` averages over ranks, as the engine does."""
    quantizer.zero_grad()
    for part in parts:
        output, side = quantizer(part.clone().requires_grad_())
        codebook = (side["quantized"] - side["latent"].detach()).square().mean()
        commitment = (side["quantized"].detach() - side["latent"]).square().mean()
        ((output - part).square().mean() + codebook + 0.25 * commitment).div(len(parts)).backward()
    with torch.no_grad():
        for parameter in quantizer.parameters():
            parameter -= 0.1 * over(parameter.grad)
        for buffer in quantizer.buffers():
            if buffer.is_floating_point():
                buffer.copy_(over(buffer))


def made(**options: Any) -> VectorQuantizer:
    torch.manual_seed(0)
    return VectorQuantizer(**({"codes": 12, "dim": 4, "patience": 0.02} | options)).double()


def assert_same(state: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert state.keys() == other.keys()
    assert [name for name in state if not torch.equal(state[name], other[name])] == []


@MODES
@pytest.mark.parametrize("cosine", [False, True])
@pytest.mark.parametrize("code_dim", [None, 2])
def test_each_vector_is_replaced_by_the_nearest(code_dim: int | None, cosine: bool, half_life: float | None) -> None:
    quantizer = made(code_dim=code_dim, cosine=cosine, half_life=half_life).train()
    quantizer(latents(0))
    quantizer.eval()
    latent = latents(1)
    output, side = quantizer(latent)
    compared = side["latent"].movedim(1, -1)
    distance = torch.cdist(compared.flatten(0, 1), quantizer.vectors)
    assert torch.equal(side["codes"], distance.argmin(dim=1).view(8, 5))
    assert torch.equal(side["quantized"].movedim(1, -1), quantizer.vectors[side["codes"]])
    assert compared.shape[-1] == (code_dim or 4)
    assert torch.equal(output, quantizer.embedded(side["codes"]))
    assert output.shape == latent.shape
    if cosine:
        assert torch.equal(quantizer(7 * latent).side["codes"], side["codes"]) or code_dim
        torch.testing.assert_close(compared.norm(dim=-1), torch.ones(8, 5).double())


@MODES
def test_gradients_go_straight_through_and_to_the_codebook_by_quantized_alone(half_life: float | None) -> None:
    quantizer = made(half_life=half_life)
    latent = latents(0).requires_grad_()
    output, side = quantizer(latent)
    slopes = torch.randn_like(output)
    (gradient,) = torch.autograd.grad((output * slopes).sum(), latent, retain_graph=True)
    assert torch.equal(gradient, slopes)
    if half_life is None:
        side["quantized"].sum().backward()
        used = side["codes"].flatten().bincount(minlength=12).double()
        torch.testing.assert_close(quantizer.codebook.weight.grad, used[:, None].expand(12, 4))
        assert latent.grad is None
    else:
        assert not side["quantized"].requires_grad
        assert not list(quantizer.parameters())


def test_the_moving_average_is_that_of_the_paper() -> None:
    quantizer = made(start=False, half_life=0.03, patience=None)
    share, total = torch.full((12,), 1 / 12).double(), quantizer.codebook.sum.clone()
    for seed in range(5):
        vectors = total / share[:, None]
        batch = latents(seed)
        quantizer(batch)
        keep = 0.5 ** (8 / 30)
        rows = batch.movedim(1, -1).reshape(-1, 4)
        codes = [int((row - vectors).square().sum(dim=1).argmin()) for row in rows]
        for code in range(12):  # arXiv 1711.00937, equations 6 to 8, with shares in place of counts
            mine = rows[[each == code for each in codes]]
            share[code] = keep * share[code] + (1 - keep) * len(mine) / len(rows)
            total[code] = keep * total[code] + (1 - keep) * mine.sum(dim=0) / len(rows)
    assert share.max() > 3 * share.min()
    torch.testing.assert_close(quantizer.codebook.share, share)
    torch.testing.assert_close(quantizer.vectors, total / share[:, None])


@MODES
def test_the_codebook_learns_only_in_training_and_with_gradients(half_life: float | None) -> None:
    quantizer = made(half_life=half_life)
    before = deepcopy(quantizer.state_dict())
    with torch.no_grad():
        quantizer(latents(0))
    quantizer.eval()(latents(0))
    assert_same(quantizer.state_dict(), before)
    quantizer.train()(latents(0))
    assert bool(quantizer.started)


@MODES
@pytest.mark.parametrize("cosine", [False, True])
def test_it_starts_with_planted_clusters(half_life: float | None, cosine: bool) -> None:
    torch.manual_seed(0)
    centres = torch.nn.functional.normalize(torch.randn(12, 8), dim=1)
    which = torch.arange(12).repeat(20)[torch.randperm(240)]
    batch = (centres[which] + 0.02 * torch.randn(240, 8)).view(24, 10, 8).movedim(-1, 1)
    quantizer = VectorQuantizer(12, 8, cosine=cosine, half_life=half_life)
    codes = quantizer(batch).side["codes"].flatten()
    assert len(codes.unique()) == 12
    assert (torch.cdist(centres, quantizer.vectors).min(dim=1).values < 0.05).all()
    assert len({(int(a), int(b)) for a, b in zip(which, codes, strict=True)}) == 12  # each cluster has its code


@MODES
@pytest.mark.parametrize("spoilt", [math.nan, math.inf])
def test_it_does_not_start_from_a_batch_that_is_not_finite(half_life: float | None, spoilt: float) -> None:
    quantizer = made(half_life=half_life)
    batch = latents(0)
    batch[3, 1, 2] = spoilt
    quantizer(batch)
    assert not quantizer.started


@MODES
def test_what_a_forward_changes_are_buffers_so_that_the_engine_can_undo_it(half_life: float | None) -> None:
    quantizer = made(half_life=half_life)
    before = [parameter.clone() for parameter in quantizer.parameters()]
    state = deepcopy(quantizer.state_dict())
    for seed in range(8):
        quantizer(latents(seed))
    assert all(map(torch.equal, before, quantizer.parameters()))
    assert not torch.equal(quantizer.vectors, made(half_life=half_life).vectors)
    for name, buffer in quantizer.named_buffers():
        buffer.copy_(state[name])
    assert torch.equal(quantizer.vectors, made(half_life=half_life).vectors)


@MODES
def test_dead_codes_move_to_what_is_represented_worst(half_life: float | None) -> None:
    quantizer = made(codes=6, half_life=half_life, patience=0.03)
    quantizer(latents(0))  # one code for each centre
    near = latents(1)
    near[:, :, :] = latents(0)[:1, :, :1] + 0.1 * torch.randn(8, 4, 5).double()
    near[5, :, 3] = 50.0
    near[6, :, 1] = -50.0
    for _ in range(3):
        quantizer(near)
    assert len(quantizer(near).side["codes"].unique()) <= 4
    _, side = quantizer(near)
    far = (side["quantized"] - near).abs().amax(dim=1)
    assert far[5, 3] < 1e-9
    assert far[6, 1] < 1e-9
    kept = made(codes=6, half_life=half_life, patience=None)
    kept(latents(0))
    start = kept.vectors.detach().clone()
    for _ in range(5):
        kept(latents(0)[:, :, :1])
    if half_life is None:
        assert torch.equal(kept.vectors, start)


@MODES
def test_a_codebook_larger_than_the_batch_starts_with_what_there_is(half_life: float | None) -> None:
    quantizer = made(codes=200, half_life=half_life)
    output, side = quantizer(latents(0))
    torch.testing.assert_close(output, latents(0))
    assert len(side["codes"].unique()) == 40
    same = made(half_life=half_life)
    assert len(same(torch.ones(4, 4, 5).double()).side["codes"].unique()) == 1
    for _ in range(10):
        output, _ = same(torch.ones(4, 4, 5).double())
    torch.testing.assert_close(output, torch.ones(4, 4, 5).double())


@MODES
def test_the_average_of_the_network_follows_codes_that_move(half_life: float | None) -> None:
    quantizer = made(half_life=half_life, patience=0.03)
    network = nn.ModuleList([quantizer, nn.Linear(1, 1)])
    average = EMA(network, half_life=1000.0, rampup=None)  # hardly any time will have passed for it
    for seed in range(3):
        descend(quantizer, latents(seed))
        average.update(network, 8 * seed + 8, 8)
    follower = average.module[0]
    assert quantizer.started
    assert (follower.vectors - quantizer.vectors).abs().max() < 0.1
    before = quantizer.vectors.detach()
    for seed in range(3, 7):
        descend(quantizer, latents(seed) + 20)
        average.update(network, 8 * seed + 8, 8)
    moved = (quantizer.vectors - before).norm(dim=1) > 20
    assert moved.sum() > 3
    assert (follower.vectors - quantizer.vectors)[moved].abs().max() < 0.5


@MODES
def test_a_resumed_codebook_is_bitwise_that_of_one_never_stopped(half_life: float | None) -> None:
    whole = made(half_life=half_life, code_dim=3, cosine=True)
    states = [deepcopy(whole.state_dict())]
    for seed in range(6):
        descend(whole, latents(seed))
        states.append(deepcopy(whole.state_dict()))
    assert whole.codebook.state_dict().keys() & {"shift", "sum"}
    for stop in range(6):
        resumed = VectorQuantizer(12, 4, code_dim=3, cosine=True, half_life=half_life, patience=0.02).double()
        resumed.load_state_dict(states[stop])
        descend(resumed, latents(stop))
        assert_same(resumed.state_dict(), states[stop + 1])


@MODES
def test_bfloat16_reaches_neither_distances_nor_state(half_life: float | None) -> None:
    plain, cast = (made(half_life=half_life, code_dim=3).float() for _ in range(2))
    for seed in range(4):
        batch = latents(seed).float()
        expected = plain(batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = cast(batch)
        assert found.output.dtype == torch.float32
        assert torch.equal(found.output, expected.output)
        assert torch.equal(found.side["codes"], expected.side["codes"])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert cast.eval()(batch.bfloat16()).output.dtype == torch.float32
        cast.train()
    assert_same(cast.state_dict(), plain.state_dict())


Ranks = Callable[[int, Callable[[int], Any]], list[Any]]


@pytest.mark.parametrize("world", [1, 2, 3])
def test_items_of_all_ranks_come_in_the_order_of_their_batch(on_ranks: Ranks, world: int) -> None:
    whole = torch.randn(6, 2, 3)
    for found in on_ranks(world, lambda rank: ranks.everyone(whole[rank::world])):
        assert torch.equal(found, whole)
    for found in on_ranks(world, lambda rank: ranks.total(whole[rank::world].sum(dim=0))):
        torch.testing.assert_close(found, whole.sum(dim=0))


@MODES
@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("options", [{}, {"code_dim": 3, "cosine": True}], ids=["plain", "cosine"])
def test_ranks_equal_one_process(
    on_ranks: Ranks, half_life: float | None, accumulate: int, options: dict[str, Any]
) -> None:
    def trained(world: int) -> list[VectorQuantizer]:
        """The codebook of each rank after nine steps; from the sixth on, the vectors are elsewhere."""
        quantizers = [made(half_life=half_life, **options) for _ in range(world)]  # from the one random stream

        def train(rank: int) -> None:
            for step in range(9):
                whole = latents(step, batch=12) + 4 * (step > 4)
                parts = whole[rank::world].chunk(accumulate)
                descend(quantizers[rank], *parts, over=lambda tensor: ranks.total(tensor) / world)

        on_ranks(world, train)
        return quantizers

    (alone,) = trained(1)
    assert alone.idle.max() < 20  # revived
    for world in (2, 3):
        for rank in trained(world):
            for name, value in alone.state_dict().items():
                torch.testing.assert_close(rank.state_dict()[name], value, rtol=1e-10, atol=1e-10, msg=name)


LEVELS = st.lists(st.integers(2, 9), min_size=1, max_size=5)


def reference_fsq(z: np.ndarray, levels: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Appendix A.1 of the paper, z [..., d]: normalised values and codes."""
    sizes = np.array(levels)
    half = (sizes - 1) * (1 - 1e-3) / 2
    offset = np.where(sizes % 2 == 1, 0.0, 0.5)
    rounded = np.round(np.tanh(z + np.tan(offset / half)) * half - offset)
    half_width = sizes // 2
    basis = np.concatenate(([1], np.cumprod(sizes[:-1])))
    return rounded / half_width, ((rounded + half_width) * basis).sum(axis=-1)


@settings(deadline=None, max_examples=40)
@given(LEVELS, st.integers(0, 2**31), st.floats(0.1, 10))
def test_scalars_are_quantized_as_in_the_paper(levels: list[int], seed: int, scale: float) -> None:
    latent = scale * torch.randn(3, len(levels), 2, 4, generator=torch.Generator().manual_seed(seed)).double()
    quantizer = ScalarQuantizer(levels)
    output, side = quantizer(latent)
    values, codes = reference_fsq(latent.movedim(1, -1).numpy(), levels)
    np.testing.assert_allclose(output.movedim(1, -1).numpy(), values)
    assert (side["codes"].numpy() == codes).all()
    torch.testing.assert_close(quantizer.embedded(side["codes"]).double(), output)


@settings(deadline=None, max_examples=40)
@given(LEVELS)
def test_all_codes_of_scalars_mean_something_else_and_come_back(levels: list[int]) -> None:
    quantizer = ScalarQuantizer(levels)
    codes = torch.arange(min(quantizer.codes, 4000))[:, None]
    vectors = quantizer.embedded(codes)
    assert vectors.shape == (len(codes), len(levels), 1)
    assert len(vectors.unique(dim=0)) == len(codes)
    assert vectors.min() >= -1
    assert vectors.max() <= 1
    half = (torch.tensor(levels) // 2)[:, None]
    size, offset = 2 * half + torch.tensor(levels)[:, None] % 2, (torch.tensor(levels)[:, None] % 2 == 0) / 2
    bound = (size - 1) * (1 - 1e-3) / 2
    inside = ((vectors * half + offset) / bound).clamp(-1 + 1e-6, 1 - 1e-6)  # two levels are beyond their bounds
    latent = inside.double().atanh() - (offset / bound).tan()
    assert torch.equal(quantizer(latent).side["codes"], codes)


def test_gradients_go_through_the_rounding_of_scalars() -> None:
    quantizer = ScalarQuantizer([5])
    latent = torch.linspace(-2, 2, 9).double().view(9, 1).requires_grad_()
    quantizer(latent).output.sum().backward()
    bound = 4 * (1 - 1e-3) / 2
    torch.testing.assert_close(latent.grad, bound / 2 * (1 - latent.detach().tanh().square()))


@pytest.mark.parametrize(
    ("build", "key"),
    [
        (lambda: VectorQuantizer(0, 4), "codes is 0"),
        (lambda: VectorQuantizer(4, 0), "dim is 0"),
        (lambda: VectorQuantizer(4, 4, code_dim=0), "code_dim is 0"),
        (lambda: VectorQuantizer(4, 4, half_life=0.0), "half_life is 0.0"),
        (lambda: VectorQuantizer(4, 4, patience=-1.0), "patience is -1.0"),
        (lambda: ScalarQuantizer([]), "levels is empty"),
        (lambda: ScalarQuantizer([8, 1]), "levels is 1"),
        (lambda: ScalarQuantizer([2**16] * 4), "levels in all"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(build: Callable[[], Quantizer], key: str) -> None:
    with pytest.raises(UserError, match=key):
        build()
