from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ganlit.contracts import Reference
from ganlit.data.ragged import Ragged
from ganlit.data.windows import Excerpts, Windows, excerpts

LENGTHS = [50, 7, 20, 33]


def numbered() -> Ragged:
    """Recordings in stereo whose samples tell which they are, and where in it."""
    flat = torch.cat([1000 * (number + 1) + torch.arange(length) for number, length in enumerate(LENGTHS)])
    return Ragged(torch.stack([flat, -flat], 1).to(torch.int16), LENGTHS)


def windows(length: int = 16, places: Tensor | None = None, seed: int = 3) -> Windows:
    return Windows(numbered(), torch.arange(4) % 2, length, torch.arange(4) if places is None else places, seed)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=9), st.integers(0, 2**31), st.integers(1, 60))
def test_a_window_is_of_its_recording_and_follows_from_seed_and_item(items: list[int], seed: int, length: int) -> None:
    data = windows(length, seed=seed)
    found = data[torch.tensor(items)]
    assert (found.item.shape, found.item.dtype) == ((len(items), 2, length), torch.int16)
    for item, wave, label in zip(items, found.item, found.label, strict=True):
        number, inside = item % 4, wave[0] != 0
        assert int(label) == number % 2
        start = int(wave[0, 0]) - 1000 * (number + 1)
        count = min(length, LENGTHS[number])
        assert 0 <= start <= max(0, LENGTHS[number] - length)
        assert wave[0, :count].tolist() == [1000 * (number + 1) + start + step for step in range(count)]
        assert (wave[1] == -wave[0]).all()
        assert not wave[0, count:].any()
        assert int(inside.sum()) == count
        alone = data[torch.tensor([item])].item[0]  # whatever else is in the batch
        assert torch.equal(alone, wave)


def test_each_pass_has_other_windows_and_all_of_them_come() -> None:
    data = windows(length=16)
    starts = {int(data[torch.tensor([4 * turn])].item[0, 0, 0]) - 1000 for turn in range(400)}
    assert starts == set(range(35))
    assert data.endless


def test_only_what_is_trained_on_comes() -> None:
    data = windows(places=torch.tensor([1, 3]))
    assert len(data) == 2
    assert (data[torch.arange(20)].item[:, 0, 0] // 1000).unique().tolist() == [2, 4]


def test_windows_begin_where_drums_do() -> None:
    recordings, places = numbered(), torch.arange(4)
    drawn = Windows(recordings, torch.zeros(4, dtype=torch.int64), 16, places, seed=3, begin=True)
    measured = excerpts(Reference("set", "abc", recordings, torch.zeros(4), ()), 16, begin=True)
    for items in (drawn[torch.arange(12)].item, measured.items[:]):
        assert (items[:, 0, 0] % 1000 == 0).all()
    assert measured.name == "set-first16"
    assert measured.digest != excerpts(Reference("set", "abc", recordings, torch.zeros(4), ()), 16).digest


@given(st.permutations(range(4)))
def test_what_is_measured_is_always_the_same(order: list[int]) -> None:
    found = Excerpts(numbered(), 16)
    assert (len(found), found[:].shape) == (4, (4, 2, 16))
    assert torch.equal(found[torch.tensor(order)], found[:][order])
    assert torch.equal(found[1:3], found[:][1:3])


def test_it_has_a_name_of_its_own() -> None:
    real = Reference("set-train", "abc", numbered(), torch.zeros(4, dtype=torch.int64), ())
    one, other = excerpts(real, 16), excerpts(real, 8)
    assert (one.name, other.name) == ("set-train-heard16", "set-train-heard8")
    assert len({one.digest, other.digest, real.digest}) == 3


@given(st.integers(1, 9), st.integers(1, 9))
def test_windows_take_every_so_and_so_many_th_place(length: int, every: int) -> None:
    data = Windows(numbered(), torch.arange(4), length, torch.tensor([0, 3]), 3, every=every)
    found = data[torch.arange(20)].item[:, 0].long()
    inside = (length - 1) * every + 1 <= 33
    assert not inside or (found.diff(dim=1) == every).all()
    measured = excerpts(Reference("set", "abc", numbered(), torch.zeros(4), ()), length, every=every, called="seen")
    assert measured.name == f"set-seen{length}{f'x{every}' if every > 1 else ''}"


def test_some_of_many_are_windowed() -> None:
    some = numbered().chosen(torch.tensor([3, 0]))
    assert (some.lengths.tolist(), len(some)) == ([33, 50], 2)
    assert [int(some[place][0, 0]) for place in range(2)] == [4000, 1000]
    assert Excerpts(some, 7, begin=True)[:][:, 0, 0].tolist() == [4000, 1000]
