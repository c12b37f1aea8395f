from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlit.data.video.digits import Motion, Moving, MovingDigits, drawn
from ganlit.data.video.prediction import DigitsPrediction
from ganlit.errors import UserError


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One for all, for the digits are always the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANLIT_CACHE", str(tmp_path_factory.mktemp("digits")))
        yield


def data_of(kind: type[MovingDigits] = MovingDigits, **options: Any) -> MovingDigits:
    data = kind(**({"batch": 4, "val_images": 4, "test_images": 4, "clips": 40, "measured": 30} | options))
    data.prepare_data()
    data.setup("fit")
    return data


def centres(clips: torch.Tensor) -> torch.Tensor:
    """x and y [B, T, 2] of the mean place of what is bright in clips [B, 1, T, H, W]."""
    weight = clips[:, 0].double()
    side = torch.arange(clips.shape[-1], dtype=torch.float64)
    total = weight.sum((2, 3))
    return torch.stack([(weight.sum(2) * side).sum(2) / total, (weight.sum(3) * side).sum(2) / total], 2)


def test_clips_come_to_networks_with_the_class_of_their_digit() -> None:
    data = data_of()
    stored = next(iter(data.train_dataloader()))
    batch = data.to_network(stored)
    assert (stored.item.shape, stored.item.dtype) == ((4, 1, 16, 32, 32), torch.uint8)
    assert (batch.item.shape, batch.item.dtype) == ((4, 1, 16, 32, 32), torch.float32)
    assert (len(data.classes), data.modality.rate) == (10, 10)
    kept = data.stored.reference.labels
    assert torch.equal(stored.label, kept[data.dataset.motion(torch.tensor(_first(data))).digit[:, 0]])


def _first(data: MovingDigits) -> list[int]:
    return next(iter(data.train_dataloader().sampler)).tolist()


def test_where_digits_are_is_what_is_known_of_them() -> None:
    data = data_of(frames=24)
    items = torch.arange(200)
    motion, clips = data.dataset.motion(items), data.dataset[items].item
    places = motion.places(24, data.dataset.room)[:, 0]
    moved = centres(clips).diff(dim=1) - places.diff(dim=1)
    assert moved.abs().max() < 0.05
    assert (places.min() >= 0) & (places.max() <= 16)
    speeds = motion.velocity[:, 0].norm(dim=1)
    assert speeds.min() >= 0.5
    assert speeds.max() <= 2
    straight = motion.bounces(24, data.dataset.room)[:, 0].sum(1) == 0
    assert 0 < straight.sum() < 200
    assert (places[straight].diff(dim=1) - motion.velocity[straight][:, :1]).abs().max() < 1e-9


@given(st.floats(0, 16), st.floats(-5, 5), st.integers(2, 40))
def test_a_bounce_turns_the_velocity(start: float, speed: float, frames: int) -> None:
    motion = Motion(
        torch.zeros(1, 1, dtype=torch.int64),
        torch.full((1, 1, 2), start, dtype=torch.float64),
        torch.full((1, 1, 2), speed, dtype=torch.float64),
    )
    place, want, direction, bounces = start, [start], speed, 0
    for _ in range(frames - 1):  # a ball, step by step
        place += direction
        while not 0 <= place <= 16:
            place, direction, bounces = (-place if place < 0 else 32 - place), -direction, bounces + 1
        want.append(place)
    assert motion.places(frames, 16)[0, 0, :, 0].tolist() == pytest.approx(want, abs=1e-6)
    at_border = min(min(place, 16 - place) for place in want) < 1e-6
    assert at_border or motion.bounces(frames, 16)[0, 0].tolist() == [bounces, bounces]


@given(st.integers(0, 24), st.integers(0, 24))
def test_at_whole_pixels_digits_are_as_they_were(x: int, y: int) -> None:
    digit = torch.randint(0, 256, (1, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    places = torch.tensor([[[x, y]]], dtype=torch.float64)
    frame = drawn(digit, places, 32)[0, 0]
    assert torch.equal(frame[y : y + 8, x : x + 8], digit[0])
    assert frame.sum() == digit.sum()
    half = drawn(digit, places + torch.tensor([0.5, 0]), 33)[0, 0].int()
    between = (digit[0, :, 1:].int() + digit[0, :, :-1].int()) / 2
    assert (half[y : y + 8, x + 1 : x + 8] - between).abs().max() <= 0.5


@settings(max_examples=20)
@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=9), st.integers(0, 2**31))
def test_an_item_is_always_the_same(items: list[int], seed: int) -> None:
    digits = torch.randint(0, 256, (7, 1, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    data = Moving(digits, torch.arange(7), 5, 16, 2, (0.5, 2.0), 100, seed)
    found = data[torch.tensor(items)]
    for item, clip in zip(items, found.item, strict=True):
        assert torch.equal(data[torch.tensor([item])].item[0], clip)


def test_passes_differ_and_seeds_and_what_is_measured_does_not() -> None:
    one, other = data_of(), data_of(seed=1)
    items = torch.arange(40)
    assert not torch.equal(one.dataset[items].item, one.dataset[items + 40].item)
    assert not torch.equal(one.dataset[items].item, other.dataset[items].item)
    assert one.dataset.endless
    assert one.reference.digest == other.reference.digest
    assert torch.equal(one.reference.items[:], other.reference.items[:])
    assert torch.equal(one.measured[torch.arange(5)].item, one.reference.items[:5])
    assert torch.equal(one.measured[torch.arange(5)].label, one.reference.labels[:5])
    assert one.trained_on.digest != other.trained_on.digest
    assert (one.reference.name, len(one.trained_on.items)) == ("moving-digit-16x32-30", 40)
    assert data_of(frames=8).reference.digest != one.reference.digest


def test_two_digits_have_no_class() -> None:
    data = data_of(digits=2, resolution=48, size=16)
    batch = data.dataset[torch.arange(6)]
    assert (data.classes, batch.label.tolist(), batch.item.shape) == ((), [0] * 6, (6, 1, 16, 48, 48))
    assert data.dataset.motion(torch.arange(6)).digit.shape == (6, 2)


def test_what_comes_next_is_known() -> None:
    data = data_of(DigitsPrediction, past=10, next=6)
    pair = data.to_network(next(iter(data.train_dataloader())))
    assert (pair.source.shape, pair.target.shape) == ((4, 1, 10, 32, 32), (4, 1, 6, 32, 32))
    whole = data_of(frames=16)
    assert torch.equal(data.reference.items[:], whole.reference.items[:][:, :, 10:])
    assert torch.equal(data.reference_of("source").items[:], whole.reference.items[:][:, :, :10])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"frames": 0}, "data.init_args.frames is 0"),
        ({"digits": 3}, "data.init_args.digits is 3"),
        ({"size": 32}, "data.init_args.size is 32"),
        ({"speeds": (2.0, 1.0)}, "data.init_args.speeds is 2"),
        ({"speeds": (1.0, 20.0)}, "goes up to 20 pixels a frame, and a digit of 16 in 32 has room for 16: lower it"),
        ({"clips": 0}, "data.init_args.clips is 0"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(options: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        MovingDigits(**options)
