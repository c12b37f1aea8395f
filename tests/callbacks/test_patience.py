"""When a run has waited long enough for a better score."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from remains import checkpoint

from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.callbacks.patience import Patience, waited
from ganlit.errors import UserError
from ganlit.metrics.trend import spread, turns

FID = "fid2k/inception-2015-12-05@1a2b3c/legacy/digits-train@9f8e7d/ema"
PSNR = "psnr250/y/pairs@1/ema"
TICK = 0.4


def history(*values: float, name: str = FID) -> list[tuple[float, dict[str, float]]]:
    return [(10.0 * (index + 1), {name: value}) for index, value in enumerate(values)]


def test_a_spread_is_that_of_the_noise_alone() -> None:
    assert spread([3.0, 2.0, 1.0]) is None
    noise = [0.3, -0.9, 0.1, 1.2, -0.4, 0.8, -1.1, 0.2, -0.6, 0.5] * 5
    still = spread(noise)
    assert still == pytest.approx(spread([value + 0.01 * place for place, value in enumerate(noise)]), rel=0.05)
    assert still == pytest.approx(spread([*noise, 1000.0]), rel=0.1)


def test_turns_are_swings_of_some_size() -> None:
    assert turns([1, 9, 1, 9, 1], 5) == 3
    assert turns([1, 2, 3, 9, 8, 9, 8], 5) == 0
    assert turns([], 1) == 0


def test_what_is_better_by_less_than_the_interval_is_no_better() -> None:
    falling = [100.0, 80.0, 60.0, 50.0, 40.0]
    assert waited(history(*falling), 0).validations == 0
    noisy = [*falling, 41.0, 39.5, 40.5, 39.0, 40.0, 39.4, 40.1]
    wait = waited(history(*noisy), 1.96)
    assert (wait.since, wait.best) == (50.0, (90.0, 39.0))
    assert wait.validations == 7
    assert waited(history(*(-value for value in noisy), name=PSNR), 1.96).best == (90.0, -39.0)  # higher is better


def test_nobody_waits_without_a_spread_or_for_numbers_of_another_kind() -> None:
    assert waited([], 1.96) is None
    assert waited(history(3.0, 3.0, 3.0), 1.96) is None
    other = history(5.0, 5.0, 5.0, 5.0, name=FID.replace("1a2b3c", "ffffff"))
    assert waited([*other, *history(9.0)], 1.96) is None


def test_a_run_ends_as_done_with_its_best_checkpoint(fit: Any, scripted: Any, tmp_path: Path, capsys: Any) -> None:
    scores = scripted(90.0, 50.0, 51.0, 49.0, 50.0, math.nan)
    run = fit(9 * TICK, scores, Checkpoints("", scores), Patience(validations=3, interval=1.0))
    assert run.module.kimg == 5 * TICK
    assert checkpoint(tmp_path)["images_seen"] == 2000
    assert checkpoint(tmp_path, "best")["images_seen"] == 1600
    told = "since 0.8 kimg: the best was 49 at 1.6 kimg, kept as checkpoints/best.ckpt, and the run ends here"
    assert told in capsys.readouterr().out
    assert run.module.ended.startswith("patience: FID-200 has not become better")
    assert (tmp_path / "patience.txt").read_text().strip().endswith(told)
    assert (tmp_path / "checkpoints" / "ema.safetensors").exists()


def test_it_needs_a_score_and_numbers_that_mean_something(fit: Any) -> None:
    with pytest.raises(UserError, match="fidelity is null"):
        fit(TICK, Patience())
    with pytest.raises(UserError, match=r"Patience\.validations is 0"):
        Patience(validations=0)
