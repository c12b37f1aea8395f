from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganlit.errors import Diverged, Stopped, UserError
from ganlit.records.state import Recorder, State, held, read, reading, recorded, spare


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


def test_who_was_stopped_early_and_goes_on_is_spared_from_then_on(tmp_path: Path) -> None:
    def start(**end: str) -> bool:
        with recorded(Recorder(tmp_path, 2.0)) as recorder:
            recorder.update(kimg=1.0)
            recorder.update(**end)
        return read(tmp_path).spared

    assert not start(phase="preempted")
    assert not start(phase="stopped early")
    before = read(tmp_path)
    spare(tmp_path)
    assert read(tmp_path) == replace(before, spared=True)
    (tmp_path / "state.json").write_text(json.dumps(vars(before)))  # by hand, with --early_terminate null
    assert start(phase="preempted")
    assert start(phase="failed")
    spare(tmp_path / "nowhere")
    assert read(tmp_path / "nowhere") is None


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


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
WHOLE = {"phase": "done", "kimg": 2.0, "length": 2, "seconds": 9.5, "starts": 1, "device": "cpu", "reason": None}
RIGHT = {
    **dict.fromkeys(("kimg", "length", "seconds"), lambda value: type(value) in (int, float) and 0 <= value < 1e15),
    **dict.fromkeys(("starts", "processes"), lambda value: type(value) is int and 0 <= value < 1e15),
    **dict.fromkeys(("device", "host", "updated"), lambda value: type(value) is str),
    **dict.fromkeys(("job", "reason"), lambda value: value is None or type(value) is str),
    "alarms": lambda value: type(value) is list and all(type(each) is str for each in value),
    "spared": lambda value: type(value) is bool,
    "phase": lambda value: value in ("running", "preempted", "done", "failed", "diverged"),
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from([*RIGHT]), value=json_values)
def test_of_a_damaged_record_each_field_is_believed_for_itself(key: str, value: object, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(json.dumps({**WHOLE, key: value}))
    state, damage = reading(tmp_path)
    if RIGHT[key](value):
        assert damage is None
        assert getattr(state, key) == value
    else:
        assert damage.startswith(f"{tmp_path}/state.json is damaged ({key} is ")
        assert "\n" not in damage
        assert state == (None if key == "phase" else State(**{k: v for k, v in WHOLE.items() if k != key}))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=30) | json_values.map(lambda value: json.dumps(value).encode()))
def test_what_is_no_record_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "state.json").write_bytes(content)
    state, damage = reading(tmp_path)
    assert state is read(tmp_path) is None
    assert damage.startswith(f"{tmp_path}/state.json is damaged (")


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink("nowhere", path)])
def test_what_is_no_file_is_waited_for_by_nobody(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "state.json")
    state, damage = reading(tmp_path)
    assert state is None
    assert "state.json is damaged (" in damage


def test_what_may_not_be_read_was_still_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    assert reading(tmp_path) == reading(tmp_path / "nowhere") == (None, None)
    monkeypatch.setattr(Path, "lstat", refuse)  # root may read all
    assert "state.json is damaged (Permission denied)" in reading(tmp_path).damage
