"""What the stopwatch and the profile tell of a device."""

from __future__ import annotations

import time

import pytest
import torch
from duels import BATCH, duel, plain, trained
from places import Place, Recorder

from ganlit.callbacks.profile import Profile, peak_memory
from ganlit.compute.stopwatch import Stopwatch

pytestmark = pytest.mark.gpu


def test_activities_add_up_to_the_time_that_passed(place: Place, record_property: Recorder) -> None:
    with place.there() as device:
        matrix = torch.randn(500, 500, device=device)
        (matrix @ matrix).cpu()
        watch, began = Stopwatch(device), time.perf_counter()
        for _ in range(20):
            with watch("discriminator"):
                for _ in range(10):
                    matrix = (matrix @ matrix).clamp(-1, 1)
            time.sleep(0.001)
        seconds = watch.lap()
        passed = time.perf_counter() - began
    record_property("seconds told of those passed", sum(seconds.values()) / passed)
    assert sum(seconds.values()) == pytest.approx(passed, rel=0.1, abs=0.005)
    assert seconds["discriminator"] > 0
    assert seconds["other"] > 0.015 or place.name == "cuda"  # the device may work on while the host sleeps


def test_a_tick_tells_speed_shares_and_memory(place: Place, record_property: Recorder) -> None:
    profile = Profile()
    with place.there():
        trained(duel(plain), 3, place.trainer(), [profile])
    tick = profile.tick
    record_property("peak memory in GiB", tick.peak_memory)
    assert tick.images_per_second > BATCH / 60
    assert {"discriminator", "generator", "data", "other"} <= tick.shares.keys()
    assert sum(tick.shares.values()) == pytest.approx(1)
    assert 0 < tick.peak_memory < 64


def test_peak_memory_of_a_gpu_is_that_of_its_tensors_since_it_was_last_asked(place: Place) -> None:
    with place.there() as device:
        peak_memory(device)
        held = torch.zeros(2**28 if place.name == "cuda" else 1, dtype=torch.uint8, device=device)
        del held
        first, second = peak_memory(device), peak_memory(device)
    if place.name == "cuda":
        assert first >= 0.25
        assert second < first
    else:
        assert 0 < first <= second  # of the process, which forgets nothing
