from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ganlit.errors import UserError
from ganlit.studies.report.record import gather, read_metrics

FID = "fid150/tiny@0/none/squares@1ff8e9/ema"


def test_a_sweep_has_the_phases_of_its_trials(sweep: Path) -> None:
    phases = [run.phase for run in gather(sweep)]
    done = ["done"] * 3
    expected = ["done", "failed", "done", "diverged", "done", "pending", "running", "done", "failed", *done]
    assert phases == expected
    (sweep / "trials" / "0001-old.yaml").write_text((sweep / "trials" / "0001.yaml").read_text())  # a copy by hand
    assert [run.seed for run in gather(sweep)] == [number % 3 for number in range(1, 13)]


def test_a_run_that_says_running_and_holds_no_lock_was_killed(sweep: Path) -> None:
    killed = gather(sweep)[8]
    assert (killed.phase, killed.state.reason) == ("failed", "ended without a word (killed?)")


def test_runs_are_found_at_any_depth_and_nothing_inside_them(tmp_path: Path, make: Callable[..., Path]) -> None:
    for name in ("b", "deep/er/a"):
        make(tmp_path / name, {})
        inside = tmp_path / name / "wandb/run-1/files/config.yaml"
        inside.parent.mkdir(parents=True)
        inside.write_text("model: {}\n")
    assert [run.folder for run in gather(tmp_path)] == [tmp_path / "b", tmp_path / "deep/er/a"]


def test_a_run_of_before_state_json_is_read(tmp_path: Path, make: Callable[..., Path]) -> None:
    (make(tmp_path / "old", {}) / "state.json").unlink()
    (make(tmp_path / "stopped", {}, kimg=20, phase="running") / "state.json").unlink()
    old, stopped = gather(tmp_path)
    assert (old.phase, old.state.kimg) == ("done", 40)
    assert (stopped.phase, stopped.state.kimg) == ("preempted", 20)


def test_half_a_row_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(f"kimg,discriminator/r1,{FID}\n1,0.5,\n2,,7.5\n3,,6.5\n4,,nan\n5,,2")
    assert read_metrics(path) == (4.0, {FID: [(2.0, 7.5), (3.0, 6.5)]})
    path.write_text("kimg,disc")
    assert read_metrics(path) == (0.0, {})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"kimg,a/b\n1,2,3\n", "row 2 has 3 columns, not 2"),
        (b"kimg,a/b\nx,2\n", "could not convert"),
        (b"kimg,a/b\n1,x\n", "could not convert"),
        (b"what\n1\n", "first column is not kimg"),
        (b"\xff\xfe\n", "decode"),
    ],
)
def test_damaged_numbers_are_named_and_the_run_is_counted(
    content: bytes, reason: str, tmp_path: Path, make: Callable[..., Path], capsys: pytest.CaptureFixture
) -> None:
    path = make(tmp_path / "bad", {}) / "metrics.csv"
    path.write_bytes(content)
    (run,) = gather(tmp_path)
    told = capsys.readouterr().out
    assert f"without its numbers: {path} is damaged" in told
    assert reason in told
    assert (run.phase, run.curves) == ("done", {})


def test_since_leaves_out_what_has_not_moved(sweep: Path) -> None:
    path = Path("runs/0004-lr/0001/state.json")
    old = datetime.now().astimezone() - timedelta(days=9)
    path.write_text(json.dumps({**json.loads(path.read_text()), "updated": old.isoformat()}))
    week = datetime.now().astimezone() - timedelta(days=7)
    assert len(gather(sweep, week)) == len(gather(sweep)) - 1
    assert len(gather(sweep, week - timedelta(days=7))) == len(gather(sweep))


def test_a_folder_without_runs_is_refused(tmp_path: Path, make: Callable[..., Path]) -> None:
    with pytest.raises(UserError, match="holds no runs"):
        gather(tmp_path)
    with pytest.raises(UserError, match="is no folder"):
        gather(tmp_path / "nowhere")
    make(tmp_path / "old", {}, updated="2020-01-01T00:00:00+00:00")
    with pytest.raises(UserError, match="none of 1 runs has moved since"):
        gather(tmp_path, datetime(2026, 1, 1).astimezone())
