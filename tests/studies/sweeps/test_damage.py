"""A run or a trial whose files are damaged is named, and stands in nobody's way."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganlit.errors import UserError
from ganlit.studies.sweeps import arrays, commands
from ganlit.studies.sweeps.definition import read
from ganlit.studies.sweeps.trials import freeze, frozen, load

FOLDER = Path("experiments/0001-damaged")
RUN = Path("runs/0001-damaged/0002")
TRIAL = FOLDER / "trials/0002.yaml"
JOBS = Path("runs/0001-damaged/jobs.json")

NO_YAML = {
    "nothing": b"",
    "a list": b"[1]",
    "a number": b"3",
    "null": b"null",
    "no text": b"\x89PNG\r\n\x1a\n\0\0",
    "UTF-16": '{"phase": "done"}'.encode("utf-16"),
    "Latin-1": b"name: caf\xe9\n",
    "deep": b"[" * 1000,
    "an alias in itself": b"model: &a [*a]\n",
    "a bomb": b"a: &a [1, 1, 1, 1]\n"
    + b"".join(b"%c: &%c [*%c, *%c, *%c, *%c]\n" % ((c, c) + (c - 1,) * 4) for c in b"bcdefghijklm"),
    "a key twice": b"model: {}\nmodel: {}\n",
}
NO_RUN = {
    "another mapping": b"lr: 3\n",
    "a model that is none": b"name: '0002'\nkimg: 1\ntrainer: {}\nmodel: 3\ndata: {}\n",
    "a length that is none": b"name: '0002'\nkimg: .nan\ntrainer: {}\nmodel: {}\ndata: {}\n",
}
PLACES: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
}
DAMAGE: dict[str, Callable[[Path], object]] = {
    **{
        name: lambda path, content=content: path.write_bytes(content) for name, content in {**NO_YAML, **NO_RUN}.items()
    },
    **PLACES,
}


@pytest.fixture(scope="module")
def night(sweep_of: Callable[..., Path], place: Path) -> Path:
    """Three trials that are done."""
    folder = sweep_of(FOLDER.name, {"seed": {"values": [0, 1, 2]}}, metric={"name": "discriminator/loss"})
    freeze(read(folder))
    return folder


@pytest.fixture
def done(night: Path, stands: Callable[..., None]) -> Path:
    for number in range(1, 4):
        stands(f"0001-damaged/{number:04}", "done", 0.5)
        shutil.copy(night / f"trials/{number:04}.yaml", f"runs/0001-damaged/{number:04}/config.yaml")
    return night


@contextmanager
def damaged(path: Path, damage: Callable[[Path], object]) -> Iterator[None]:
    """A file is damaged, or another thing in its place, while the block lasts."""
    before = path.read_bytes() if path.exists() else None
    path.unlink(missing_ok=True)
    damage(path)
    try:
        yield
    finally:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        if before is not None:
            path.write_bytes(before)


def told(capsys: pytest.CaptureFixture, call: Callable[..., object], *given: Any) -> list[str]:
    capsys.readouterr()
    call(*given)
    return capsys.readouterr().out.splitlines()


def others_are_done(lines: list[str]) -> bool:
    return [line.split()[:3] for line in (lines[1], lines[3])] == [["0001", "0", "done"], ["0003", "2", "done"]]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_state_is_named_and_the_trial_can_go_on(
    damage: str, done: Path, capsys: pytest.CaptureFixture
) -> None:
    with damaged(RUN / "state.json", DAMAGE[damage]):
        lines = told(capsys, commands.status, done)
        assert others_are_done(lines)
        assert lines[2].split()[:3] == ["0002", "1", "failed"]
        assert [line for line in lines if line.startswith(f"{RUN}/state.json is damaged (")]
        view = commands.seen(read(done), freeze(read(done)))
        assert commands.due(view) == [2]
        assert commands.selected(view.statuses, ["failed"], []) == [2]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_numbers_and_settings_are_named(damage: str, done: Path, capsys: pytest.CaptureFixture) -> None:
    for file in ("metrics.csv", "config.yaml"):
        with damaged(RUN / file, DAMAGE[damage]):
            lines = told(capsys, commands.status, done)
            assert others_are_done(lines)
            assert lines[2].split()[:3] == ["0002", "1", "done"]
            assert [line for line in lines[4:] if line.startswith((f"{RUN}/{file}", f"'{RUN}/{file}"))]
            assert commands.due(commands.seen(read(done), freeze(read(done)))) == []


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_trial_is_left_as_it_is_and_the_others_go_on(
    damage: str, done: Path, stands: Callable[..., None], capsys: pytest.CaptureFixture
) -> None:
    stands("0001-damaged/0002", "preempted")
    stands("0001-damaged/0003", "preempted")
    with damaged(TRIAL, DAMAGE[damage]):
        before = os.lstat(TRIAL).st_mtime_ns
        sweep = read(done)
        view = commands.seen(sweep, freeze(sweep))
        assert commands.due(view) == [3]
        assert f"{TRIAL}" in capsys.readouterr().out
        assert [one.phase for one in view.statuses] == ["done", "failed", "preempted"]
        assert commands.selected(view.statuses, ["failed", "preempted"], []) == [3]
        with pytest.raises(UserError, match=str(TRIAL)):
            commands.selected(view.statuses, [], [2])
        assert os.lstat(TRIAL).st_mtime_ns == before
        assert any(f"{TRIAL}" in line for line in told(capsys, commands.status, done)[4:])


@pytest.mark.parametrize("head", ["# [1]\n# fit", '# {"seed": 1}\n# fit "', "# {\n# fit", '# {"seed": 1}\nfit: 1', ""])
def test_what_no_sweep_has_frozen_is_no_trial(head: str, done: Path, tmp_path: Path) -> None:
    _, _, config = (done / "trials/0001.yaml").read_text().split("\n", 2)
    (tmp_path / "0001.yaml").write_text(f"{head}\n{config}" if head else "seed: 1\n")
    with pytest.raises(UserError, match=r"0001\.yaml is"):
        load(tmp_path / "0001.yaml")


def test_a_trial_has_four_digits_and_is_one(done: Path) -> None:
    copies = [done / "trials" / name for name in ("1.yaml", "00001.yaml", "0001-old.yaml", "²²²².yaml")]
    for copy in copies:
        shutil.copy(TRIAL, copy)
    assert [*frozen(read(done))] == [1, 2, 3]
    for copy in copies:
        copy.unlink()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
ARRAY = {"job": "1", "offset": 0, "elements": [1, 2, 3], "options": ["--mem=1"], "parallel": 2, "submitted": "x"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from([*ARRAY]), value=json_values)
def test_an_array_is_read_or_its_field_named(key: str, value: object, done: Path) -> None:
    def write(path: Path) -> None:
        path.write_text(json.dumps([ARRAY, {**ARRAY, key: value}]))

    with damaged(JOBS, write):
        if isinstance(value, type(ARRAY[key])) and key not in ("offset", "elements", "options", "parallel"):
            assert getattr(arrays.submitted(read(done))[1], key) == value
            return
        try:
            (_, found) = arrays.submitted(read(done))
        except UserError as error:
            says = str(error)
        else:
            says = ""
            assert sum(found.numbers) + (found.parallel or 0) >= 0
            shlex.join(found.options)
        assert not says or f"{JOBS} is damaged ({key} of array 2 is " in says


@pytest.mark.parametrize("damage", [name for name in DAMAGE if name not in ("a list", "another mapping")])
def test_a_damaged_record_of_arrays_stops_a_submission_and_no_status(
    damage: str, done: Path, capsys: pytest.CaptureFixture
) -> None:
    with damaged(JOBS, DAMAGE[damage]):
        assert others_are_done([line for line in told(capsys, commands.status, done) if "jobs.json" not in line])
        with pytest.raises(UserError, match=rf"{JOBS} is damaged \(.*: move it away"):
            commands.seen(read(done), {})


def half(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04")


@pytest.mark.parametrize("damage", [half, *PLACES.values()])
def test_done_is_what_holds_a_whole_checkpoint(
    damage: Callable[[Path], object], done: Path, capsys: pytest.CaptureFixture
) -> None:
    with damaged(RUN / "checkpoints/last.ckpt", damage):
        lines = told(capsys, commands.status, done)
        assert others_are_done(lines)
        assert lines[2].split()[:3] == ["0002", "1", "failed"]
        assert "says that it is done, and holds no whole checkpoint" in lines[2]
    shutil.rmtree(RUN / "checkpoints")
    assert told(capsys, commands.status, done)[2].split()[2] == "failed"


def test_names_neither_colour_nor_command_a_terminal(done: Path, capsys: pytest.CaptureFixture) -> None:
    known = json.loads((RUN / "state.json").read_text())
    (RUN / "state.json").write_text(json.dumps({**known, "phase": "failed", "reason": "[red]\x1b[2J\ud800 or not"}))
    line = told(capsys, commands.status, done)[2]
    assert r"[red]\x1b[2J\ud800 or not" in line
