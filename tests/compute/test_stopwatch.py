from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlit.compute.stopwatch import UNSETTLED, HostClock, Stopwatch, apart


class World:
    """A time that passes only when told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(HostClock, "now", lambda self: world.seconds)
    return world


def test_an_activity_inside_another_is_taken_out_of_it(world: World) -> None:
    watch = Stopwatch(torch.device("cpu"))
    world.wait(1)
    for _ in range(2):
        with watch("metrics"):
            world.wait(10)
            with watch("io"):
                world.wait(100)
            world.wait(20)
    world.wait(5)
    assert watch.lap() == {"other": 6, "metrics": 60, "io": 200}


def test_a_lap_begins_at_nothing_and_what_is_under_way_goes_on(world: World) -> None:
    watch = Stopwatch(torch.device("cpu"))
    with watch("generator"):
        world.wait(1)
    watch.start("data")
    world.wait(2)
    assert watch.lap() == {"other": 0, "generator": 1, "data": 2}
    world.wait(4)
    watch.stop()
    world.wait(8)
    assert watch.lap() == {"data": 4, "other": 8}
    assert watch.lap() == {"other": 0}


def test_an_error_ends_the_activity(world: World) -> None:
    watch = Stopwatch(torch.device("cpu"))

    def fail() -> None:
        with watch("io"):
            world.wait(1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    world.wait(2)
    assert watch.lap() == {"io": 1, "other": 2}


def test_what_shares_a_visit_is_told_apart_by_the_typical_difference(world: World) -> None:
    watch = Stopwatch(torch.device("cpu"))
    for step, seconds in enumerate([30, 10, 10, 11, 17, 9, 10, 200]):  # lazy at every fourth; the last is a hiccup
        with watch("discriminator" if step % 4 else "discriminator+regularizers"):
            world.wait(seconds)
    lazy = 2 * (23.5 - 10)
    assert watch.lap() == {"other": 0, "regularizers": lazy, "discriminator": 297 - lazy}


def test_without_a_plain_visit_nothing_is_guessed() -> None:
    assert apart({"discriminator+regularizers": [3.0, 4.0]}) == {"discriminator": 7.0}


def test_both_players_can_be_regularized() -> None:
    spans = {"generator": [1.0], "generator+regularizers": [3.0], "discriminator": [5.0]}
    spans["discriminator+regularizers"] = [9.0]
    assert apart(spans) == {"generator": 2.0, "discriminator": 10.0, "regularizers": 6.0}


spans = st.lists(st.floats(0, 1e3), min_size=1, max_size=5)


@given(spans, spans, spans)
def test_nothing_is_lost_or_negative(plain: list[float], lazy: list[float], rest: list[float]) -> None:
    seconds = apart({"discriminator": plain, "discriminator+regularizers": lazy, "other": rest})
    assert sum(seconds.values()) == pytest.approx(sum(plain + lazy + rest))
    assert min(seconds.values()) >= 0


class Stream:
    """A device that is behind its host until someone waits for it."""

    def __init__(self) -> None:
        self.recorded, self.waits = 0, 0

    def event(self, enable_timing: bool) -> Event:
        assert enable_timing
        return Event(self)


class Event:
    def __init__(self, stream: Stream) -> None:
        self.stream, self.passed = stream, False

    def record(self) -> None:
        self.number = self.stream.recorded
        self.stream.recorded += 1

    def synchronize(self) -> None:
        self.passed = True
        self.stream.waits += 1

    def elapsed_time(self, end: Event) -> float:
        assert end.passed
        return 1000.0 * (end.number - self.number)  # milliseconds


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Stream:
    stream = Stream()
    monkeypatch.setattr(torch.cuda, "Event", stream.event)
    return stream


def test_on_cuda_nobody_waits_before_the_lap(stream: Stream) -> None:
    watch = Stopwatch(torch.device("cuda"))
    for _ in range(3):
        with watch("discriminator"), watch("regularizers"):
            pass
    assert stream.waits == 0
    assert watch.lap() == {"other": 4, "discriminator": 6, "regularizers": 3}


def test_a_long_lap_keeps_few_events(stream: Stream) -> None:
    watch = Stopwatch(torch.device("cuda"))
    for _ in range(UNSETTLED):
        with watch("generator"):
            pass
    assert len(watch.pieces) == UNSETTLED
    assert watch.lap() == {"other": UNSETTLED + 1, "generator": UNSETTLED}
