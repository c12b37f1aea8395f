from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from ganlit.callbacks.loggers.tensorboard import TensorBoard
from ganlit.cli.main import main
from ganlit.configuration.resolve import resolve

OVERLAYS = Path(__file__).parents[3] / "configs" / "overlays"

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def test_tensorboard_shows_a_run_over_images_seen(tmp_path: Path) -> None:
    Image.new("L", (3, 2), 7).save(tmp_path / "grid.png")
    board = TensorBoard()
    board.folder = tmp_path / "runs" / "mine"
    board.log_metrics({"loss": 0.5, "kimg": 0.25, "epoch": 1}, 9)
    board.log_media("samples", [tmp_path / "grid.png"], 0.25)
    board.log_histograms({"logits/real": np.array([1.0, 2.0])}, 0.25)
    board.log_outcome("done", "patience: <none>", 0.25)
    board.finalize("success")
    (file,) = (tmp_path / "runs" / "mine" / "tensorboard").iterdir()
    events = accumulator.EventAccumulator(str(file))
    events.Reload()
    assert events.Tags()["scalars"] == ["loss"]
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(250, 0.5)]
    assert [(event.step, event.width, event.height) for event in events.Images("samples")] == [(250, 3, 2)]
    assert b"done: patience: &lt;none&gt;" in events.Tensors("outcome/text_summary")[0].tensor_proto.string_val
    assert events.Histograms("logits/real")[0].histogram_value.num == 2


def test_its_overlay_takes_the_place_of_wandb(recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(recorded.folder.parents[1])
    monkeypatch.setenv("WANDB_MODE", "offline")
    files = ["--config", "tiny.yaml", "--config", str(OVERLAYS / "tensorboard.yaml")]
    assert main(["fit", *files, "--name", "shown", "--fidelity", "null", "--kimg", "0.08"]) == 0
    run = Path("runs/shown")
    assert (run / "metrics.csv").exists()
    assert not (run / "wandb").exists()
    events = accumulator.EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("generator/adversarial")] == [20, 40, 60, 80]
    assert [event.step for event in events.Images("samples")] == [0, 80]
    assert [event.step for event in events.Histograms("logits/fake")] == [80]


def test_the_other_overlay_does_without_both() -> None:
    files = [OVERLAYS.parent / "dcgan.yaml", OVERLAYS / "csv.yaml"]
    assert yaml.safe_load(resolve([f"--config={file}" for file in files]))["wandb"] is None
