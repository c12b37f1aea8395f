from __future__ import annotations

import fcntl
import json
import signal
from pathlib import Path

import pytest

from ganlit.errors import Diverged, Stopped, UserError
from ganlit.records.state import Recorder, State, held, read, recorded


@pytest.mark.parametrize(
    ("error", "phase", "reason"),
    [
        (Stopped(signal.SIGUSR1), "preempted", "SIGUSR1"),
        (KeyboardInterrupt(), "preempted", "SIGINT"),
        (Diverged("not finite"), "diverged", "not finite"),
        (UserError("no such\nfolder"), "failed", "no such folder"),
        (ZeroDivisionError(), "failed", "ZeroDivisionError"),
    ],
)
def test_how_a_run_ends_is_recorded_and_goes_on_its_way(
    error: BaseException, phase: str, reason: str, tmp_path: Path
) -> None:
    def run() -> None:
        with recorded(Recorder(tmp_path, 2.0)) as recorder:
            recorder.update(kimg=1.5)
            assert read(tmp_path).phase == "running"
            raise error

    with pytest.raises(type(error)):
        run()
    state = read(tmp_path)
    assert (state.phase, state.reason, state.kimg, state.length) == (phase, reason, 1.5, 2.0)


def test_a_run_that_was_there_is_left_alone_by_what_is_refused_before_it_goes_on(tmp_path: Path) -> None:
    def refused(folder: Path) -> None:
        with recorded(Recorder(folder, 5.0)):
            raise UserError("no such folder")

    with recorded(Recorder(tmp_path, 2.0)) as recorder:
        recorder.update(kimg=2.0)
    before = (tmp_path / "state.json").read_text()
    with pytest.raises(UserError):
        refused(tmp_path)
    assert (tmp_path / "state.json").read_text() == before
    with pytest.raises(UserError):
        refused(tmp_path / "new")
    assert (read(tmp_path / "new").phase, read(tmp_path / "new").starts) == ("failed", 1)


def test_starts_and_seconds_add_up_and_an_old_reason_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"phase": "failed", "reason": "x", "seconds": 3600, "starts": 2, "new": 1}')
    with recorded(Recorder(tmp_path, 2.0, job="12_3")) as recorder:
        recorder.update(processes=4)
    state = read(tmp_path)
    assert (state.phase, state.reason, state.starts, state.job) == ("done", None, 3, "12_3")
    assert 4.0 <= state.device_hours < 4.1


def test_other_ranks_write_nothing(tmp_path: Path) -> None:
    with recorded(Recorder(tmp_path, 2.0, writes=False)):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"phase": '])
def test_what_cannot_be_read_is_no_state(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "state.json").write_text(content)
    assert read(tmp_path) is None


def test_a_state_is_json_that_others_can_read(tmp_path: Path) -> None:
    Recorder(tmp_path, 2.0).update()
    assert json.loads((tmp_path / "state.json").read_text()).keys() == State.__dataclass_fields__.keys()


def test_a_lock_is_seen_and_left_alone(tmp_path: Path) -> None:
    assert not held(tmp_path)
    with (tmp_path / "lock").open("a+") as file:
        assert not held(tmp_path)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert held(tmp_path)
        assert held(tmp_path)
    assert not held(tmp_path)
