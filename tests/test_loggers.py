from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import wandb

from ganlit.loggers import MetricsFile, Wandb, logged_in, loggers


@pytest.fixture(autouse=True)
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is logged in, and no setting of this machine matters."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def read(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_rows_are_on_the_disk_as_they_come_and_columns_are_added(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "run" / "metrics.csv")
    metrics.log_metrics({"loss": 0.1, "kimg": 1 / 3, "epoch": 1}, 5)
    assert read(metrics.path) == [{"kimg": "0.3333333", "loss": "0.1"}]
    metrics.log_metrics({"fid": 30.0, "kimg": 1.0}, 9)
    metrics.log_metrics({"loss": 0.2, "kimg": 2.0}, 10)
    assert [list(row.values()) for row in read(metrics.path)] == [
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
    assert [(row["kimg"], row["loss"], row["fid"]) for row in read(second.path)] == [
        ("0", "0.1", "9"),
        ("0.3333333", "0.1", "9"),
        ("0.6666667", "0.1", "9"),
        ("1", "0.5", ""),
    ]


def test_half_a_row_is_dropped(tmp_path: Path) -> None:
    first = MetricsFile(tmp_path / "metrics.csv")
    first.log_metrics({"loss": 0.1, "kimg": 1.0})
    whole = read(first.path)
    with first.path.open("a") as file:
        file.write("1")  # of "12.5,0.3"
    second = MetricsFile(tmp_path / "metrics.csv")
    second.rewind(3.0)
    assert read(second.path) == whole


def test_a_validation_that_is_repeated_is_written_once(tmp_path: Path) -> None:
    first = MetricsFile(tmp_path / "metrics.csv")
    first.log_metrics({"loss": 0.1, "kimg": 1.0})
    first.log_metrics({"fid": 9.0, "kimg": 1.0})
    whole = read(first.path)
    second = MetricsFile(tmp_path / "metrics.csv")
    second.rewind(1.0)
    second.log_metrics({"fid": 9.0, "kimg": 1.0})
    assert read(second.path) == whole


def test_a_fresh_run_drops_all_that_an_aborted_one_left(tmp_path: Path) -> None:
    MetricsFile(tmp_path / "metrics.csv").log_metrics({"loss": 0.1, "kimg": 1.0})
    second = MetricsFile(tmp_path / "metrics.csv")
    second.rewind(0.0)
    second.log_metrics({"fid": 9.0, "kimg": 0.5})
    assert read(second.path) == [{"kimg": "0.5", "fid": "9"}]


def test_a_key_is_found_where_the_client_looks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not logged_in()
    (tmp_path / "netrc").write_text("machine wandb.example.org login user password secret\n")
    assert not logged_in()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert logged_in()
    monkeypatch.delenv("WANDB_BASE_URL")
    monkeypatch.setenv("WANDB_API_KEY", "secret")
    assert logged_in()


def test_without_a_key_the_run_is_offline_and_says_how_to_upload_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    logger = Wandb(Path("runs/mine"), {"kimg": 3})
    logger.log_metrics({"loss": 0.1, "kimg": 1.0}, 5)
    name = logger.experiment.id
    wandb.finish()
    folder = next((tmp_path / "runs" / "mine" / "wandb").glob(f"offline-run-*-{name}"))
    out, err = capsys.readouterr()
    assert out == f"W&B      offline; upload with `wandb sync {folder.relative_to(tmp_path)}`\n"
    assert err == ""
    assert Wandb(Path("runs/mine"), {}).version == name  # a resumed run goes on under its id


def test_without_a_network_a_known_user_goes_offline_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    start = wandb.init

    def unreachable(**options: Any) -> wandb.Run:
        if options["mode"] == "online":
            raise wandb.errors.CommError("no route")
        return start(**options)

    monkeypatch.setattr(wandb, "init", unreachable)
    monkeypatch.setenv("WANDB_API_KEY", "secret")
    logger = Wandb(tmp_path / "mine", {})
    assert logger.experiment.offline
    wandb.finish()
    assert capsys.readouterr().out.startswith("W&B cannot be reached (no route)\nW&B      offline; upload with")


def test_it_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [type(logger) for logger in loggers(tmp_path, {})] == [MetricsFile, Wandb]
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert [type(logger) for logger in loggers(tmp_path, {})] == [MetricsFile]
