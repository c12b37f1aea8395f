from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.loggers import Logger

from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.callbacks.profile import Profile, peak_memory
from ganlit.callbacks.samples import Samples
from ganlit.losses.regularizers.gradient import R1


class Rows(Logger):
    """Keeps what is logged."""

    name, version = "rows", ""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []

    def log_hyperparams(self, *_: Any) -> None: ...

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.rows.append(dict(metrics))


class LazyR1(Callback):
    """Gives the module a regularizer that is due at every second step."""

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        pl_module.regularizers.append(R1(weight=0.1, every=2))


def test_each_tick_is_logged_with_its_speed_shares_and_memory(fit: Any) -> None:
    logger = Rows()
    run = fit(1.0, LazyR1(), Samples(), Checkpoints(""), Profile(), logger=logger)
    ticks = [row for row in logger.rows if "speed/images_per_second" in row]
    assert [row["kimg"] for row in ticks] == pytest.approx([0.4, 0.8, 1.0])
    activities = {"data", "discriminator", "generator", "metrics", "io", "other"}
    for row in ticks:
        shares = {name.removeprefix("time/"): share for name, share in row.items() if name.startswith("time/")}
        assert activities <= set(shares) <= activities | {"regularizers"}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
        assert min(shares.values()) >= 0
        assert row["speed/images_per_second"] > 0
        assert row["memory/peak_gb"] > 0.01
    assert "time/regularizers" in ticks[0]
    assert run.module.stopwatch is nullcontext  # as it was


def test_ticks_are_counted_by_the_clock(fit: Any, tmp_path: Any) -> None:
    profile = Profile()
    fit(0.4, Checkpoints(""), profile)
    assert profile.tick.number == 1
    fit(1.0, Checkpoints(""), profile, ckpt_path=tmp_path / "checkpoints" / "last.ckpt")
    assert profile.tick.number == 3


def test_the_speed_is_that_of_training_alone(fit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"data": 1.0, "discriminator": 2.0, "generator": 1.0, "metrics": 5.0, "io": 3.0, "other": 0.0}
    monkeypatch.setattr("ganlit.compute.stopwatch.Stopwatch.lap", lambda self: seconds)
    profile = Profile()
    fit(0.4, profile)
    assert profile.tick.images_per_second == pytest.approx(400 / 4)
    assert profile.tick.shares["metrics"] == pytest.approx(5 / 12)


def test_the_clock_of_a_run_is_in_no_checkpoint(fit: Any, tmp_path: Any) -> None:
    fit(0.4, Checkpoints(""), Profile())
    checkpoint = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert not any("stopwatch" in name for name in checkpoint["state_dict"])
    assert not any("Profile" in name for name in checkpoint["callbacks"])


@pytest.mark.parametrize(("platform", "unit"), [("linux", 1024), ("darwin", 1)])
def test_the_peak_on_a_cpu_is_the_resident_set(monkeypatch: pytest.MonkeyPatch, platform: str, unit: int) -> None:
    class Usage:
        ru_maxrss = 2**30

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("resource.getrusage", lambda who: Usage)
    assert peak_memory(torch.device("cpu")) == unit


def test_the_peak_on_a_gpu_is_that_of_the_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    reset = []
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 3 * 2**30)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", reset.append)
    assert peak_memory(torch.device("cuda")) == 3
    assert reset == [torch.device("cuda")]
