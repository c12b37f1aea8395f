from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Callback, LightningModule, Trainer
from remains import checkpoint, same

from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.records import durable


def test_the_last_and_the_best_are_kept_and_nothing_else(fit: Any, scripted: Any, tmp_path: Path) -> None:
    fidelity = scripted(30.0, 20.0, 25.0)
    fit(1.2, fidelity, Checkpoints("name: tiles\n", fidelity))
    kept = ["best.ckpt", "ema.safetensors", "last.ckpt", "previous.ckpt"]
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == kept
    assert checkpoint(tmp_path, "best")["images_seen"] == 800
    assert checkpoint(tmp_path, "last")["images_seen"] == 1200
    assert (tmp_path / "config.yaml").read_text() == "name: tiles\n"


def test_without_a_score_only_the_last_is_kept(fit: Any, tmp_path: Path) -> None:
    fit(0.4, Checkpoints(""))
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["ema.safetensors", "last.ckpt"]


def test_the_best_is_remembered_by_a_resumed_run(fit: Any, scripted: Any, tmp_path: Path) -> None:
    first, second = scripted(20.0), scripted(30.0, 10.0)
    fit(0.4, first, Checkpoints("", first))
    resumed = Checkpoints("", second)
    fit(0.8, second, resumed, ckpt_path=tmp_path / "checkpoints" / "last.ckpt")
    assert resumed.best == 20.0
    assert checkpoint(tmp_path, "best")["images_seen"] == 400
    fit(1.2, second, resumed, ckpt_path=tmp_path / "checkpoints" / "last.ckpt")
    assert (resumed.best, resumed.best_kimg) == (10.0, pytest.approx(1.2))
    assert checkpoint(tmp_path, "best")["images_seen"] == 1200


def test_a_score_under_another_protocol_is_no_match(fit: Any, scripted: Any, tmp_path: Path, capsys: Any) -> None:
    first, second = scripted(20.0), scripted(30.0)
    fit(0.4, first, Checkpoints("", first))
    second.number = "fid100/tiny@0/none/tiles-train@abcdef/ema"
    resumed = Checkpoints("", second)
    fit(0.8, second, resumed, ckpt_path=tmp_path / "checkpoints" / "last.ckpt")
    assert (resumed.best, resumed.best_name) == (30.0, second.number)
    assert "scores cannot be compared: metric, count and variant fid100, not fid200" in capsys.readouterr().out


def test_a_score_of_other_weights_makes_no_best(fit: Any, scripted: Any, tmp_path: Path) -> None:
    fidelity = scripted(20.0, 30.0)
    checkpoints = Checkpoints("", fidelity)
    run = fit(0.4, fidelity, checkpoints)
    checkpoints.best = None  # as after a save that was refused
    run.module.images_seen = 800
    checkpoints.on_train_epoch_end(run.trainer, run.module)
    assert checkpoints.best is None


def test_of_some_scores_the_highest_is_best(fit: Any, scripted: Any, tmp_path: Path) -> None:
    fidelity = scripted(1.5, 2.5, 2.0)
    fidelity.number = "probe-is200/tiny@0/none/tiles-train@abcdef/ema"
    checkpoints = Checkpoints("", fidelity)
    fit(1.2, fidelity, checkpoints)
    assert checkpoints.best == 2.5
    assert checkpoint(tmp_path, "best")["images_seen"] == 800


def test_the_average_is_also_kept_without_pickle(fit: Any, tmp_path: Path) -> None:
    run = fit(0.4, Checkpoints("name: tiles\n"))
    weights = durable.read_weights(tmp_path / "checkpoints" / "ema.safetensors")
    assert same(weights.state, dict(run.module.ema.module.state_dict()))
    assert (weights.config, weights.images_seen) == ("name: tiles\n", 400)


def test_the_settings_of_a_run_that_goes_on_under_others_are_kept(fit: Any, tmp_path: Path) -> None:
    fit(0.4, Checkpoints("seed: 0\n"))
    fit(0.8, Checkpoints("seed: 1\n"), ckpt_path=tmp_path / "checkpoints" / "last.ckpt")
    assert (tmp_path / "config.yaml").read_text() == "seed: 1\n"
    assert (tmp_path / "config.until-kimg000000.4.yaml").read_text() == "seed: 0\n"


def test_weights_that_are_not_finite_are_not_saved(fit: Any, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    class Poison(Callback):
        def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
            if pl_module.images_seen == 800:
                next(pl_module.discriminator.parameters()).data.fill_(float("inf"))

    fit(0.8, Poison(), Checkpoints(""))
    assert checkpoint(tmp_path, "last")["images_seen"] == 400
    assert "not saved at 0.8 kimg" in capsys.readouterr().out
