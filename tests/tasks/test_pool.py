"""The pool of older items, against CycleGAN's rule written out, and whatever a batch is cut into."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganlit.errors import UserError
from ganlit.tasks.pool import Pool


def batch(clock: int, count: int) -> Tensor:
    return torch.arange(clock, clock + count)[:, None].float()


@given(st.integers(0, 7), st.integers(0, 2**20))
def test_one_at_a_time_it_is_the_rule_of_cyclegan(size: int, seed: int) -> None:
    """An item joins while there is room; then it is shown itself, or an old one is, whose place it takes."""
    pool, kept = Pool(size), list[float]()
    for clock in range(30):
        fresh, turn = batch(clock, 1), pool.turn(1, seed + clock)
        shown = float(pool.mixed(fresh, turn.shown))
        pool.take(fresh, turn.kept)
        if len(kept) < size:
            assert shown == clock
            kept.append(clock)
        elif shown != clock:
            kept[kept.index(shown)] = clock
        assert ([] if pool.items is None else pool.items.flatten().tolist()) == kept


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**20))
def test_nothing_is_shown_twice_or_lost_in_a_batch(size: int, count: int, seed: int) -> None:
    pool, out, clock = Pool(size), list[float](), 0
    for step in range(8):
        fresh, turn = batch(clock, count), pool.turn(count, seed + step)
        shown = pool.mixed(fresh, turn.shown).flatten().tolist()
        pool.take(fresh, turn.kept)
        clock += count
        assert len(set(shown)) == count
        assert len(pool.items) <= size
        out += [item for item in shown if item < clock - count]
        assert not set(pool.items.flatten().tolist()) & set(out)


def test_half_of_what_is_shown_is_old_and_of_any_age() -> None:
    pool, ages = Pool(50), []
    for clock in range(4000):
        fresh, turn = batch(clock, 1), pool.turn(1, clock)
        ages.append(clock - float(pool.mixed(fresh, turn.shown)))
        pool.take(fresh, turn.kept)
    old = torch.tensor([age for age in ages[50:] if age])
    assert abs(len(old) / 3950 - 0.5) < 0.03
    assert abs(float(old.mean()) - 100) < 10  # a place is drawn every 100 steps on average


def test_no_pool_shows_all_as_it_is_and_less_is_refused() -> None:
    pool = Pool(0)
    for seed in range(9):
        turn = pool.turn(4, seed)
        assert torch.equal(pool.mixed(batch(0, 4), turn.shown), batch(0, 4))
        pool.take(batch(0, 4), turn.kept)
    with pytest.raises(UserError, match=r"model\.init_args\.pool"):
        Pool(-1)
