"""Tables that are made up, of trainings that are well and that are ill."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlit.metrics.detector import Row, detect, replay

FID = "fid2k/inception-2015-12-05@1a2b3c/legacy/digits-train@9f8e7d/ema"
WELL = {
    "overlap": 0.4,
    "overfit": 0.1,
    "gradient-ratio": 1.0,
    "cosine-discriminator": 0.3,
    "cosine-generator": 0.2,
    "variety": 0.9,
    "reached": 0.6,
    "duplicates": 0.0,
    "mean": 0.1,
    "energy": 1.0,
    "moved": 0.01,
    "skipped": 0.0,
}


def table(count: int = 12, score: list[float] | None = None, **signals: list[float]) -> list[Row]:
    """A run of ten kimg a validation that is well but for some signals, whose values are the last ones."""
    rows = [
        {"kimg": 10.0 * (index + 1), **{f"signal/{name}": value for name, value in WELL.items()}}
        for index in range(count)
    ]
    scores = score or [100 / (index + 1) for index in range(count)]
    for row, value in zip(rows[-len(scores) :], scores, strict=True):
        row[FID] = value
    for name, values in signals.items():
        for row, value in zip(rows[-len(values) :], values, strict=True):
            row[f"signal/{name.replace('_', '-')}"] = value
    return rows


def test_who_is_well_rings_nothing() -> None:
    assert replay(table()) == []
    assert replay([]) == []


@pytest.mark.parametrize(
    ("name", "signal", "since", "ill"),
    [
        ("collapse", "variety", 120, {"variety": [0.05]}),
        ("collapse", "reached", 110, {"reached": [0.1, 0.05]}),
        ("collapse", "duplicates", 100, {"duplicates": [0.6, 0.7, 0.9]}),
        ("won", "overlap", 100, {"overlap": [0.01, 0.0, 0.0], "score": [*[50.0] * 6, 30.0, *[33.0] * 5]}),
        ("overfits", "overfit", 100, {"overfit": [0.6, 0.7, 0.7], "score": [*[50.0] * 6, 30.0, *[33.0] * 5]}),
        ("divergence", "skipped", 120, {"skipped": [0.5]}),
        ("divergence", "energy", 110, {"energy": [7.0, 9.0]}),
        ("divergence", "mean", 110, {"mean": [3.0, 4.0]}),
        ("divergence", "score", 100, {"score": [*[60.0, 45.0, 32.0] * 3, 90.0, 120.0, 200.0]}),
        ("stagnation", "moved", 90, {"moved": [1e-7] * 4, "overlap": [0.2] * 4}),
        ("oscillation", "score", 30, {"score": [40.0, 90.0] * 6}),
        ("oscillation", "variety", 30, {"variety": [0.5, 1.0] * 6}),
    ],
)
def test_each_illness_is_found_with_its_signal_and_its_beginning(
    name: str, signal: str, since: float, ill: Any
) -> None:
    (alarm,) = detect(table(**ill))
    assert (alarm.name, alarm.signal, alarm.since) == (name, signal, since)
    assert f"({signal if signal == 'score' else f'signal/{signal}'}), since {since:.1f} kimg: " in str(alarm)


def test_what_has_not_lasted_or_has_not_been_lost_rings_nothing() -> None:
    assert detect(table(overfit=[0.9, 0.9, 0.9, 0.1], score=[50.0] * 12)) == []  # is over
    assert detect(table(overfit=[0.9], score=[50.0] * 12)) == []  # once may be chance
    assert detect(table(overfit=[0.9] * 12)) == []  # but its score becomes better
    assert detect(table(count=3, variety=[0.0, 0.0, 0.05])) == []  # a generator begins with one thing
    assert detect(table(count=3, reached=[0.01] * 3)) == []
    assert detect(table(overlap=[0.0] * 3)) == []  # but its score becomes better
    assert detect(table(moved=[0.0] * 4, overlap=[1.0] * 4)) == []  # has arrived


def test_a_fall_of_the_level_is_told_among_swings_and_swings_alone_are_not() -> None:
    modes = "modes1k/-/-/ring/ema"

    def rung(*counts: float) -> list[tuple[float, float]]:
        rows = [{"kimg": 10.0 * (index + 1), modes: count} for index, count in enumerate(counts)]
        alarms = [(event.kimg, event.alarm) for event in replay(rows) if event.name == "divergence"]
        return [(kimg, alarm.since) for kimg, alarm in alarms if alarm is not None]

    swings = 2.0, 5.0, 8.0, 4.0, 7.0, 3.0, 7.0
    assert rung(*swings, 6.0, 5.0, 7.0, 5.0) == []  # levels 5, 5, 7, 4, 7, 6, 6, 6, 5: once may be chance
    assert rung(*swings, 4.0, 5.0, 3.0, 4.0) == [(110.0, 100.0)]  # 4, 5, 4, 4
    assert rung(*swings, 0.0, 0.0) == [(90.0, 80.0)]
    assert rung(*[0.0] * 8) == []


def test_a_discriminator_that_knows_its_items_by_heart_has_not_won() -> None:
    still = [*[50.0] * 6, 30.0, *[33.0] * 5]
    assert [alarm.name for alarm in detect(table(overlap=[0.0] * 4, overfit=[0.9] * 4, score=still))] == ["overfits"]
    assert [alarm.name for alarm in detect(table(overlap=[0.0] * 4, score=still))] == ["won"]


def test_a_generator_that_never_makes_more_than_one_thing_has_collapsed() -> None:
    events = replay(table(variety=[0.01] * 12))
    assert [(event.name, event.kimg) for event in events] == [("collapse", 70.0)]
    assert events[0].alarm is not None
    assert events[0].alarm.since == 10


def test_an_alarm_is_told_when_it_begins_and_when_it_ends() -> None:
    events = replay(table(variety=[0.01, 0.02, 0.5, 0.9]))
    assert [(event.kimg, event.name, event.alarm is None) for event in events] == [
        (90.0, "collapse", False),
        (110.0, "collapse", True),
    ]


def test_runs_without_signals_are_judged_by_their_score() -> None:
    rows = [{"kimg": float(index), FID: value} for index, value in enumerate([50.0, 40.0, 30.0, 31.0, 95.0, 99.0])]
    assert [alarm.signal for alarm in detect(rows)] == ["score"]
    assert detect([{"kimg": row["kimg"]} for row in rows]) == []


@given(
    st.lists(
        st.dictionaries(st.sampled_from([f"signal/{name}" for name in WELL] + [FID]), st.floats(-1e6, 1e6)), max_size=14
    )
)
def test_any_table_has_an_answer(cells: list[Row]) -> None:
    rows = [{"kimg": float(index), **row} for index, row in enumerate(cells)]
    alarms = detect(rows)
    assert len({alarm.name for alarm in alarms}) == len(alarms)
    assert all(0 <= alarm.since <= rows[-1]["kimg"] and str(alarm) for alarm in alarms)
