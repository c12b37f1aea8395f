from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch.loggers import CSVLogger
from remains import rows_of

from ganlit.callbacks.loggers.chosen import loggers
from ganlit.callbacks.loggers.metrics_file import MetricsFile
from ganlit.callbacks.loggers.wandb import Wandb, WandbOptions


def test_rows_are_on_the_disk_as_they_come_and_columns_are_added(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "run" / "metrics.csv")
    metrics.log_metrics({"loss": 0.1, "kimg": 1 / 3, "epoch": 1}, 5)
    assert rows_of(tmp_path / "run") == [{"kimg": "0.3333333", "loss": "0.1"}]
    metrics.log_metrics({"fid": 30.0, "kimg": 1.0}, 9)
    metrics.log_metrics({"loss": 0.2, "kimg": 2.0}, 10)
    assert [list(row.values()) for row in rows_of(tmp_path / "run")] == [
        ["0.3333333", "0.1", ""],
        ["1", "", "30"],
        ["2", "0.2", ""],
    ]


def test_a_resumed_run_drops_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    first = MetricsFile(tmp_path / "metrics.csv")
    for step in range(5):
        first.log_metrics({"loss": 0.1, "fid": 9.0, "kimg": step / 3}, step)
    second = MetricsFile(tmp_path / "metrics.csv")
    second.rewind(2 / 3)
    second.log_metrics({"loss": 0.5, "kimg": 1.0}, 3)
    assert [(row["kimg"], row["loss"], row["fid"]) for row in rows_of(tmp_path)] == [
        ("0", "0.1", "9"),
        ("0.3333333", "0.1", "9"),
        ("0.6666667", "0.1", "9"),
        ("1", "0.5", ""),
    ]


def test_half_a_row_is_dropped(tmp_path: Path) -> None:
    first = MetricsFile(tmp_path / "metrics.csv")
    first.log_metrics({"loss": 0.1, "kimg": 1.0})
    whole = rows_of(tmp_path)
    with first.path.open("a") as file:
        file.write("1")  # of "12.5,0.3"
    second = MetricsFile(tmp_path / "metrics.csv")
    second.rewind(3.0)
    assert rows_of(tmp_path) == whole


def test_a_validation_that_is_repeated_is_written_once(tmp_path: Path) -> None:
    first = MetricsFile(tmp_path / "metrics.csv")
    first.log_metrics({"loss": 0.1, "kimg": 1.0})
    first.log_metrics({"fid": 9.0, "kimg": 1.0})
    whole = rows_of(tmp_path)
    second = MetricsFile(tmp_path / "metrics.csv")
    second.rewind(1.0)
    second.log_metrics({"fid": 9.0, "kimg": 1.0})
    assert rows_of(tmp_path) == whole


def test_a_fresh_run_drops_all_that_an_aborted_one_left(tmp_path: Path) -> None:
    MetricsFile(tmp_path / "metrics.csv").log_metrics({"loss": 0.1, "kimg": 1.0})
    second = MetricsFile(tmp_path / "metrics.csv")
    second.rewind(0.0)
    second.log_metrics({"fid": 9.0, "kimg": 0.5})
    assert rows_of(tmp_path) == [{"kimg": "0.5", "fid": "9"}]


def test_metrics_are_written_whatever_else_looks_at_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kinds(*options: Any) -> list[type]:
        return [type(logger) for logger in loggers(tmp_path, {}, *options)]

    monkeypatch.delenv("WANDB_MODE", raising=False)
    assert kinds(WandbOptions()) == kinds(WandbOptions(), True) == [MetricsFile, Wandb]
    assert kinds(None) == kinds(WandbOptions(), False) == [MetricsFile]
    board = CSVLogger(tmp_path)
    assert kinds(WandbOptions(), board) == kinds(WandbOptions(), [board]) == [MetricsFile, CSVLogger]
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert kinds(WandbOptions()) == [MetricsFile]
