"""A rank that fails ends the whole job within a minute, with its error and no other.

Every launch is waited for until no process of it is left, see `ended` in conftest.py.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ganlit.compute import slurm
from ganlit.compute.strategy import AdversarialDDP
from ganlit.records import state

TOLD = {"error": "ArithmeticError: rank {} cannot count", "refusal": "error: rank {} does not like its data"}


@pytest.mark.parametrize("name", ["error", "refusal", "kill", "error beside a hang", "launched error", "launched kill"])
def test_the_job_ends_within_a_minute(commands: Any, place: Path, name: str) -> None:
    assert 0 < commands[name].ended - (place / "served" / name / "fault").stat().st_mtime < 60


@pytest.mark.parametrize(("what", "rank", "code"), [("error", 0, 1), ("refusal", 1, 2)])
def test_all_ranks_end_with_the_code_of_the_one_that_failed_and_only_it_tells_why(
    commands: Any, what: str, rank: int, code: int
) -> None:
    answer = commands[what]
    assert answer.codes == [code, code]
    assert TOLD[what].format(rank) in answer.err[rank]
    assert answer.err[rank].count("Traceback") == (1 if what == "error" else 0)
    assert "error" not in answer.err[1 - rank].lower()
    assert "Traceback" not in answer.err[1 - rank]


def test_the_record_of_a_run_tells_of_a_failure_of_any_rank(commands: Any, place: Path) -> None:
    told = {name: state.read(place / "runs" / name) for name in ("error", "launched error")}
    assert [each.phase for each in told.values()] == ["failed", "failed"]
    assert told["error"].reason == "rank 0 cannot count"
    assert told["launched error"].reason == "another rank has failed, see the output"


def test_a_run_that_diverges_on_several_ranks_is_recorded_as_such(commands: Any, place: Path) -> None:
    assert set(commands["diverged"].codes) == {2}
    told = state.read(place / "runs" / "diverged")
    assert told.phase == "diverged"
    assert "not finite for 10 steps in a row" in told.reason


def test_a_rank_that_hangs_is_ended_by_the_error_of_another(commands: Any) -> None:
    answer = commands["error beside a hang"]
    assert answer.codes == [1, 1]
    assert TOLD["error"].format(1) in answer.err[1]
    assert "Traceback" not in answer.err[0]


def test_a_batch_that_ranks_and_parts_cannot_share_is_refused_once_and_by_its_keys(commands: Any) -> None:
    answer = commands["uneven"]
    assert answer.codes == [2, 2]
    assert "".join(answer.err).count("error: ") == 1
    for part in ("data.init_args.batch is 20", "2 ranks", "model.init_args.accumulate 4", "a multiple of 8"):
        assert part in "".join(answer.err)


def test_a_killed_rank_ends_the_other_which_says_so(commands: Any) -> None:
    answer = commands["kill"]
    assert answer.codes == [-9, 1]
    assert "killed, perhaps out of memory" in answer.err[1]


def test_a_command_ends_with_the_error_of_a_rank_that_it_launched(commands: Any) -> None:
    answer = commands["launched error"]
    assert answer.codes == [1]
    assert TOLD["error"].format(1) in answer.err[0]
    assert answer.err[0].count("Traceback") == 1


def test_a_command_does_not_outlive_a_rank_that_was_killed(commands: Any) -> None:
    (code,) = commands["launched kill"].codes
    assert code in (1, -9)  # by its own error, or by Lightning, should that look after its children just then
    assert code == -9 or "killed, perhaps out of memory" in commands["launched kill"].err[0]


@pytest.mark.parametrize("job", [None, "12"])
def test_only_on_slurm_a_vanished_rank_may_mean_a_failed_node(job: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """SLURM then ends this process and queues the job again, unless it has ended with an error before."""
    terminate = signal.getsignal(signal.SIGTERM)
    monkeypatch.delenv("SLURM_ARRAY_JOB_ID", raising=False)
    monkeypatch.setenv("SLURM_JOB_ID", job or "")
    monkeypatch.setattr(slurm, "NODE_PATIENCE", 0.2)
    rung: list[tuple[int, float]] = []
    strategy, began = AdversarialDDP(), time.monotonic()
    strategy.alarm = SimpleNamespace(ring=lambda code: rung.append((code, time.monotonic() - began)))
    try:
        strategy.on_exception(RuntimeError("gloo: Connection closed by peer [10.0.0.2]:1234"))
    finally:
        signal.signal(signal.SIGTERM, terminate)
    ((code, waited),) = rung
    assert code == 1
    assert (waited >= 0.2) == (job is not None)
