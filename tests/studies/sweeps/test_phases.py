from __future__ import annotations

import pytest

from ganlit.records.state import VANISHED, State
from ganlit.studies.sweeps.phases import judge


def at(phase: str, length: float = 10.0) -> State:
    return State(phase, kimg=3.0, length=length, reason="why")


@pytest.mark.parametrize(
    ("state", "held", "queued", "expected"),
    [
        (None, False, None, "pending"),
        (None, False, "PENDING", "pending"),
        (None, False, "RUNNING", "running"),
        (at("running"), True, None, "running"),
        (at("running"), False, "RUNNING", "running"),  # a lock that another host does not show
        (at("running"), False, "PENDING", "preempted"),
        (at("running"), False, None, "failed"),
        (at("preempted"), False, None, "preempted"),
        (at("preempted"), False, "PENDING", "preempted"),
        (at("failed"), False, None, "failed"),
        (at("diverged"), False, None, "diverged"),
        (at("done"), False, None, "done"),
        (at("done"), False, "COMPLETING", "done"),
        (at("done", length=5.0), False, None, "preempted"),
    ],
)
def test_a_phase_is_read_off_files_and_queue(
    state: State | None, held: bool, queued: str | None, expected: str
) -> None:
    assert judge(state, held, queued, length=10.0)[0] == expected


def test_a_reason_is_given_where_there_is_one() -> None:
    assert judge(at("running"), False, None, 10.0)[1] == VANISHED
    assert judge(at("diverged"), False, None, 10.0)[1] == "why"
    assert judge(at("done"), False, None, 10.0)[1] == "why"  # ahead of its length
    assert judge(at("stopped early"), False, None, 10.0) == ("stopped early", "why")
    assert judge(at("preempted"), False, "REQUEUE_HOLD", 10.0)[1] == "requeue_hold"
