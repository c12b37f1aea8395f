from __future__ import annotations

from pathlib import Path

import pytest

from ganlit.errors import UserError
from ganlit.studies.sweeps.arrays import Array, again, jobs, ranges, split, submit
from ganlit.studies.sweeps.definition import Sweep


def test_elements_stay_below_the_limit() -> None:
    assert split([1, 2, 5], limit=1001) == [(0, [1, 2, 5])]
    assert split(range(1, 8), limit=4) == [(0, [1, 2, 3]), (3, [1, 2, 3]), (6, [1])]
    assert split([7, 3], limit=4) == [(0, [3]), (6, [1])]


def test_elements_are_written_as_ranges() -> None:
    assert ranges([1, 2, 3, 5, 7, 8]) == "1-3,5,7-8"


def test_a_trial_is_its_latest_job_or_the_one_in_the_queue() -> None:
    first, second = Array("10", 0, [1, 2, 3], []), Array("11", 2, [1], [])
    assert jobs([first, second], {}) == {1: "10_1", 2: "10_2", 3: "11_1"}
    assert jobs([first, second], {"10_3": "RUNNING"}) == {1: "10_1", 2: "10_2", 3: "10_3"}


def test_trials_go_again_as_each_last_went() -> None:
    small = [Array("10", 0, [1, 2, 3], ["--mem=1"], 2), Array("11", 3, [1], ["--mem=1"], 2)]
    large = Array("12", 0, [2, 3], ["--mem=9"])
    assert again([*small, large], [1, 2, 3, 4]) == [(small[0], [1, 4]), (large, [2, 3])]
    assert again([*small, large], [5]) == [(large, [5])]  # which ran elsewhere


def test_where_nothing_is_due_slurm_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sweep = Sweep(tmp_path, "grid", [], [])
    submit(sweep, [], [], None)
    with pytest.raises(UserError, match="scontrol is not on this machine"):
        submit(sweep, [1], [], None)
