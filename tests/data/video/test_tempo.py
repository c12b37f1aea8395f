from __future__ import annotations

from itertools import accumulate
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlit.data.images.kind import RGB
from ganlit.data.video.reading import Frame
from ganlit.data.video.tempo import Tempo, at_even_times


def frames(times: list[float | None]) -> list[Frame]:
    return [Frame((number, 1), RGB, time, lambda: None) for number, time in enumerate(times)]


def numbers(times: list[float | None], rate: float) -> list[int]:
    return [frame.size[0] for frame in at_even_times(frames(times), rate)]


@given(st.integers(2, 60), st.sampled_from([10, 12.5, 23.976, 25, 29.97, 60]), st.floats(0, 9), st.integers(2, 4))
def test_of_even_frames_all_or_every_so_and_so_many_are_taken(count: int, rate: float, start: float, by: int) -> None:
    times = [start + number / rate for number in range(count)]
    assert numbers(times, rate) == list(range(count))
    assert numbers(times, rate / by) == list(range(0, count, by))
    tempo = Tempo.of(times)
    assert (tempo.frames, tempo.steady) == (count, True)
    assert tempo.rate == pytest.approx(rate)


@given(st.lists(st.floats(0.01, 0.5), min_size=1, max_size=30), st.floats(1, 40))
def test_each_moment_shows_the_frame_that_is_nearest(gaps: list[float], rate: float) -> None:
    times = [0.0, *accumulate(gaps)]
    begins = [0.0, *(time - min(1 / rate, gap) / 2 for time, gap in zip(times[1:], gaps, strict=True)), inf]
    found = numbers(times, rate)
    for moment, number in enumerate(found):
        assert begins[number] <= moment / rate + 1e-9
        assert moment / rate < begins[number + 1] + 1e-9
    assert len(found) / rate == pytest.approx(times[-1] + gaps[-1], abs=1.1 / rate)


@pytest.mark.parametrize(("tick", "rate"), [(0.01, 30), (0.001, 60), (0.01, 25)])
def test_times_that_files_round_are_even(tick: float, rate: int) -> None:
    assert numbers([round(number / rate / tick) * tick for number in range(90)], rate) == list(range(90))


def test_frames_without_times_are_taken_as_they_are() -> None:
    assert numbers([None] * 5, 10) == list(range(5))
    assert Tempo.of([None] * 5) == Tempo(5, None)
    assert numbers([0.0], 10) == [0]


def test_a_gap_is_not_steady() -> None:
    tempo = Tempo.of([0, 0.1, 0.2, 0.5, 0.6])
    assert (tempo.steady, tempo.rate, tempo.shortest) == (False, pytest.approx(10), pytest.approx(0.1))
    assert (tempo.longest, tempo.seconds) == (pytest.approx(0.3), pytest.approx(0.7))
    assert Tempo.of([0, 0.033, 0.067, 0.1]).steady
