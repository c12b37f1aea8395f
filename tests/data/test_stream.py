from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganlit.data.stream import StreamSampler, Ticks, items, permutation

sizes = st.integers(1, 40)
seeds = st.integers(0, 2**32)
starts = st.integers(0, 10**9)

FORTY = Ticks(0.04, 4)
"""Ticks of ten batches of four."""


def draw(size: int, seed: int, batch: int, start: int, batches: int = 5, rank: int = 0, world: int = 1) -> list[Tensor]:
    """What is left of a tick that ends so many batches later."""
    ticks = Ticks((start + batches * batch) / 1000, batch)
    return list(StreamSampler(size, seed, batch, ticks, lambda: start, rank, world))


@given(sizes, seeds, st.integers(0, 10**6))
def test_a_pass_holds_every_item_once(size: int, seed: int, epoch: int) -> None:
    drawn = items(size, seed, torch.arange(epoch * size, (epoch + 1) * size))
    assert drawn.sort().values.tolist() == list(range(size))


@given(sizes, seeds, st.lists(starts, min_size=1, max_size=9))
def test_an_item_depends_on_its_position_alone(size: int, seed: int, positions: list[int]) -> None:
    together = items(size, seed, torch.tensor(positions)).tolist()
    permutation.cache_clear()
    alone = [items(size, seed, torch.tensor([position])).item() for position in reversed(positions)]
    assert together == alone[::-1]
    assert together == [permutation(size, seed, position // size)[position % size].item() for position in positions]


@given(sizes, seeds, st.integers(1, 4), st.integers(1, 5), starts)
def test_ranks_interleave_to_the_stream_of_one(size: int, seed: int, world: int, share: int, start: int) -> None:
    batch = world * share
    ranks = [draw(size, seed, batch, start, rank=rank, world=world) for rank in range(world)]
    interleaved = [torch.stack(shares, 1).flatten().tolist() for shares in zip(*ranks, strict=True)]
    assert interleaved == [whole.tolist() for whole in draw(size, seed, batch, start)]


@given(sizes, seeds, st.integers(1, 50), st.integers(0, 10**6), st.integers(0, 4))
def test_a_start_anywhere_continues(size: int, seed: int, batch: int, start: int, done: int) -> None:
    whole = draw(size, seed, batch, start)
    rest = draw(size, seed, batch, start + done * batch)
    for expected, drawn in zip(whole[done:], rest, strict=False):
        assert torch.equal(expected, drawn)


@given(sizes, seeds, st.integers(1, 50), st.integers(1, 50), starts)
def test_another_batch_size_keeps_the_order(size: int, seed: int, one: int, other: int, start: int) -> None:
    first, second = torch.cat(draw(size, seed, one, start)), torch.cat(draw(size, seed, other, start))
    common = min(len(first), len(second))
    assert torch.equal(first[:common], second[:common])


def test_passes_and_seeds_differ() -> None:
    orders = [permutation(100, seed, epoch).tolist() for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4


@given(st.integers(0, 200))
def test_an_iteration_ends_with_the_tick_of_the_clock(seen: int) -> None:
    drawn = torch.cat(list(StreamSampler(10, 0, 4, FORTY, lambda: seen)))
    end = seen + len(drawn)
    assert end - 4 < (seen // 40 + 1) * 40 <= end
    assert torch.equal(drawn, items(10, 0, torch.arange(seen, end)))


def test_the_clock_is_asked_at_every_iteration() -> None:
    seen = 0
    sampler = StreamSampler(10, 0, 4, Ticks(0.008, 4), lambda: seen)
    first = list(sampler)
    seen = 8
    assert torch.equal(torch.cat([*first, *sampler]), items(10, 0, torch.arange(16)))


def test_an_endless_stream_counts_on_from_pass_to_pass() -> None:
    drawn = torch.cat(list(StreamSampler(10, 0, 4, FORTY, lambda: 0, endless=True)))
    assert torch.equal(drawn % 10, torch.cat(list(StreamSampler(10, 0, 4, FORTY, lambda: 0))))
    assert torch.equal(drawn // 10, torch.arange(40) // 10)


lengths = st.integers(1, 10**7).map(lambda thousandths: thousandths / 1000)  # as people type them
batches = st.integers(1, 5000)


@given(lengths, batches, st.integers(1, 10**4))
def test_a_tick_ends_with_the_first_step_that_completes_it(length: float, batch: int, number: int) -> None:
    end = Ticks(length, batch).end(number)
    images = number * max(round(length * 1000), batch)
    assert end % batch == 0
    assert end - batch < images <= end


@given(lengths, batches, starts)
def test_the_clock_is_in_one_tick(length: float, batch: int, steps: int) -> None:
    ticks, seen = Ticks(length, batch), steps * batch
    number = ticks.at(seen)
    assert ticks.end(number - 1) < seen <= ticks.end(number) or seen == number == 0
    assert ticks.after(seen) == ticks.end(number + (seen == ticks.end(number)))
