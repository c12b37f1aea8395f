"""What items are drawn is random, and follows from the seed, the item and the number of the call alone."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from ganlit.data.draws import GOLDEN, Draws, mixed, signed
from ganlit.errors import UserError

ITEMS, EACH = 64, 4000
RARE = 1e-4  # of a test that is right: seeds are fixed, so it passes ever or never

anything = st.integers(-(2**63), 2**63 - 1)


def draws(count: int = ITEMS, seed: int = 0) -> Draws:
    return Draws(torch.arange(count), seed)


def everything(draws: Draws) -> list[Tensor]:
    rate = torch.linspace(0, 40, 7).expand(len(draws), -1)
    part = draws.part("a")
    return [
        draws.uniform(3, 5, low=-1.0, high=2.0),
        draws.normal(3, 5),
        draws.normal(),
        draws.integers(10, 4),
        draws.chance(0.3),
        draws.choice([0.2, 0.5]),
        draws.poisson(rate),
        part.uniform(2),
        draws.uniform(),
    ]


def test_mixing_is_that_of_splitmix64() -> None:
    """The first numbers of its stream from 0, as its authors and all who took it over print them."""
    first = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    states = torch.tensor([signed(GOLDEN * turn) for turn in (1, 2, 3)])
    assert mixed(states).tolist() == [signed(number) for number in first]


def test_numbers_are_the_same_in_every_release() -> None:
    """A run that is gone on with elsewhere goes on with the same."""
    drawn = Draws(torch.tensor([0, 1, -5, 2**62]), seed=3)
    assert drawn.integers(1000).tolist() == [215, 464, 841, 345]
    assert drawn.uniform().tolist() == pytest.approx([0.1562371, 0.4914252, 0.7728293, 0.9432284], abs=1e-7)
    assert drawn.normal().tolist() == pytest.approx([1.443382, -2.666855, -0.047608, 0.243747], abs=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_uniform_numbers_are_uniform(seed: int) -> None:
    drawn = draws(seed=seed).uniform(EACH)
    assert drawn.shape == (ITEMS, EACH)
    assert drawn.dtype == torch.float32
    assert 0 <= drawn.min() < drawn.max() < 1
    assert stats.kstest(drawn.flatten().numpy(), "uniform").pvalue > RARE
    assert stats.kstest(drawn[:, 0].numpy(), "uniform").pvalue > RARE  # over items, too
    scaled = draws(seed=seed).uniform(EACH, low=-3.0, high=5.0)
    assert torch.allclose(scaled, drawn * 8 - 3, atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_normal_numbers_are_normal(seed: int) -> None:
    drawn = draws(seed=seed).normal(EACH)
    assert drawn.mean().item() == pytest.approx(0, abs=0.01)
    assert drawn.var().item() == pytest.approx(1, abs=0.01)
    assert stats.kurtosis(drawn.flatten()) == pytest.approx(0, abs=0.05)
    assert stats.kstest(drawn.flatten().numpy(), "norm").pvalue > RARE
    assert drawn.isfinite().all()
    half = EACH // 2  # the two that come from one number of 64 bits
    assert abs(np.corrcoef(drawn[:, :half].flatten(), drawn[:, half:].flatten())[0, 1]) < 0.01
    assert abs(np.corrcoef(drawn[:, :half].flatten() ** 2, drawn[:, half:].flatten() ** 2)[0, 1]) < 0.01


@pytest.mark.parametrize("high", [2, 7, 1000])
def test_integers_are_equally_likely(high: int) -> None:
    drawn = draws().integers(high, EACH)
    assert drawn.dtype == torch.int64
    counts = torch.bincount(drawn.flatten())
    assert len(counts) == high
    assert stats.chisquare(counts).pvalue > RARE


def test_integers_reach_far_and_no_farther() -> None:
    assert not draws().integers(1, EACH).any()
    drawn = draws().integers(2**31, EACH)
    assert 0 <= drawn.min() < 2**16
    assert 2**31 - 2**16 < drawn.max() < 2**31
    for high in (0, -1, 2**31 + 1):
        with pytest.raises(UserError, match=r"must be at least 1 and at most 2,147,483,648"):
            draws().integers(high)


def test_chances_and_choices_are_as_likely_as_they_are_said_to_be() -> None:
    many = draws(100_000)
    assert many.chance(0.3).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert not many.chance(0.0).any()
    assert many.chance(1.0).all()
    counts = torch.bincount(many.choice([0.2, 0.0, 0.5]), minlength=4)  # 0.3 are left
    assert (counts / 100_000).tolist() == pytest.approx([0.2, 0.0, 0.5, 0.3], abs=0.01)
    assert torch.bincount(many.choice([1 / 3] * 3)).tolist() == pytest.approx([33333] * 3, abs=500)
    assert many.choice([0.1] * 10).max() == 9  # though ten tenths are less than one in floating point


@pytest.mark.parametrize("rate", [0.3, 2.0, 5.9, 6.1, 30.0, 250.0])
def test_counts_are_poisson(rate: float) -> None:
    drawn = draws().poisson(torch.full([ITEMS, EACH], rate))
    number = np.arange(int(rate + 8 * rate**0.5 + 8))
    expected = stats.poisson.pmf(number, rate) * drawn.numel()
    found = np.bincount(drawn.flatten().numpy().astype(int), minlength=len(number))
    assert len(found) == len(number)
    likely = expected >= 20
    expected, found = (np.append(each[likely], each[~likely].sum()) for each in (expected, found))
    assert stats.chisquare(found, expected * found.sum() / expected.sum()).pvalue > RARE
    assert drawn.mean().item() == pytest.approx(rate, rel=0.01)
    assert drawn.var().item() == pytest.approx(rate, rel=0.02)


def test_counts_follow_the_rate_of_each_place() -> None:
    rates = torch.tensor([0.0, 1.0, 100.0]).repeat(ITEMS, EACH).requires_grad_()
    drawn = draws().poisson(rates)
    assert not drawn.requires_grad
    means = drawn.unflatten(1, (-1, 3)).mean(dim=(0, 1))
    assert means.tolist() == pytest.approx([0, 1, 100], abs=0.2)


@given(st.lists(anything, min_size=1, max_size=6), anything, st.data())
def test_an_item_gets_the_same_whatever_it_stands_beside(keys: list[int], seed: int, data: st.DataObject) -> None:
    some = data.draw(st.lists(st.integers(0, len(keys) - 1), min_size=1, max_size=6))
    whole = everything(Draws(torch.tensor(keys), seed))
    parts = everything(Draws(torch.tensor(keys)[some], seed))
    for one, part in zip(whole, parts, strict=True):
        assert torch.equal(one[some], part)


def correlation(one: Tensor, other: Tensor) -> float:
    return abs(float(np.corrcoef(one.flatten(), other.flatten())[0, 1])) * one.numel() ** 0.5


def test_items_calls_seeds_and_places_do_not_correlate() -> None:
    """In units of what chance does."""
    first = draws()
    one, two = first.uniform(EACH), first.uniform(EACH)
    assert correlation(one, two) < 4
    assert correlation(one[:-1], one[1:]) < 4
    assert correlation(one[:, :-1], one[:, 1:]) < 4
    for seed in (1, 2, 2**32, 2**63, GOLDEN):
        assert correlation(one, draws(seed=seed).uniform(EACH)) < 4
        assert correlation(one[:-1], draws(seed=seed).uniform(EACH)[1:]) < 4
    for distance in (2**32, 2**62):
        assert correlation(one, Draws(torch.arange(ITEMS) + distance).uniform(EACH)) < 4
    every = draws(500).normal(300).numpy()
    worst = np.abs(np.corrcoef(every) - np.eye(500)).max()
    assert worst * 300**0.5 < 5.5  # of 125,000 pairs


def test_near_keys_calls_and_seeds_share_no_number() -> None:
    seen = []
    for seed in range(4):
        many = draws(5000, seed)
        for call in (many, many, many.part()):
            seen.append(call._bits([3]).flatten())
    assert len(torch.cat(seen).unique()) == 4 * 3 * 3 * 5000


@given(anything, anything)
def test_any_key_and_any_seed_are_fine(key: int, seed: int) -> None:
    keys = torch.tensor([key])
    drawn = Draws(keys, seed).uniform(3)
    assert ((drawn >= 0) & (drawn < 1)).all()
    assert torch.equal(drawn, Draws(keys, seed + 2**64).uniform(3))
    assert keys.item() == key


def test_how_much_a_part_draws_changes_nothing_after_it() -> None:
    one, other = draws(), draws()
    one.part().uniform()
    greedy = other.part()
    greedy.normal(10)
    greedy.part().uniform()
    assert torch.equal(one.uniform(), other.uniform())


def test_parts_draw_otherwise_than_the_whole_and_one_another() -> None:
    whole = draws()
    parts = [whole.part(), whole.part("named"), whole]
    drawn = [part.uniform(EACH) for part in parts]
    assert correlation(drawn[0], drawn[1]) < 4
    assert correlation(drawn[0], drawn[2]) < 4
    again = draws()
    again.part()
    assert torch.equal(drawn[1], again.part("renamed").uniform(EACH))


def test_some_items_go_on_as_they_would_among_all() -> None:
    whole, rows = draws(), torch.tensor([5, 2])
    whole.uniform()
    some = whole.of(rows)
    assert len(some) == 2
    assert torch.equal(some.normal(3), whole.normal(3)[rows])
    assert torch.equal(some.of(torch.tensor([1])).uniform(), whole.uniform()[[2]])


def test_what_is_told_is_told_of_the_whole_batch() -> None:
    whole = draws(4)
    whole.tell("a", torch.tensor([1, 2, 3, 4]))
    part = whole.part("1").part("2")
    part.tell("b/c", torch.tensor([True, False, True, True]))
    part.of(torch.tensor([3, 1])).tell("d", torch.tensor([0.3, 0.1], requires_grad=True))
    part.of(torch.tensor([3, 0])).of(torch.tensor([1])).tell("d", torch.tensor([0.0]))
    assert list(whole.told) == ["a", "1/2/b/c", "1/2/d"]
    assert whole.told["a"].tolist() == [1, 2, 3, 4]
    assert whole.told["1/2/b/c"].tolist() == [1, 0, 1, 1]
    assert whole.told["1/2/d"].nan_to_num(-1).tolist() == pytest.approx([0, 0.1, -1, 0.3])
    assert not whole.told["1/2/d"].requires_grad


def test_a_batch_of_images_takes_a_few_milliseconds() -> None:
    """Many times what it takes, for machines that are busy; a loop over items or bits would take longer."""
    many, taken = draws(32), []
    for _ in range(5):
        begin = time.perf_counter()
        many.normal(3, 64, 64)
        taken.append(time.perf_counter() - begin)
    assert min(taken) < 0.1
