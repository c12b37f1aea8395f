from __future__ import annotations

from types import SimpleNamespace

import pytest

from ganlit.records.state import State
from ganlit.studies.sweeps.phases import Status
from ganlit.studies.sweeps.table import show


def test_alarms_stand_where_the_reasons_of_others_do(capsys: pytest.CaptureFixture) -> None:
    ringing = State("done", kimg=2.0, length=2.0, starts=1, alarms=["identity", "drift"])
    trials = [
        Status(1, "done", {}, ringing),
        Status(2, "failed", {}, ringing, reason="CUDA error"),
        Status(3, "pending", {}),
    ]
    show(SimpleNamespace(metric=None), trials)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[1].endswith("alarm: identity, drift")
    assert lines[2].endswith("CUDA error")
    assert lines[3].endswith("pending")
