"""Runs and weights of other content than ganlit writes: told in a sentence, never half loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from ganlit.configuration.rebuild import load, setting
from ganlit.errors import UserError
from ganlit.records import durable

RUN = Path(__file__).parents[1] / "records" / "old_run"
CONFIG = (RUN / "config.yaml").read_text()


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Path]:
    """A copy of a run with another configuration or another checkpoint."""

    def make(config: str = CONFIG, change: Callable[[dict], object] = lambda state: None) -> Path:
        state = durable.load(RUN / "checkpoints" / "last.ckpt")
        change(state)
        (tmp_path / "run" / "checkpoints").mkdir(parents=True)
        (tmp_path / "run" / "config.yaml").write_text(config)
        torch.save(state, tmp_path / "run" / "checkpoints" / "last.ckpt")
        return tmp_path / "run"

    return make


def weights(state: dict[str, Any], change: Callable[[torch.Tensor], Any]) -> None:
    state["state_dict"] = {name: change(value) for name, value in state["state_dict"].items()}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda state: weights(state, torch.Tensor.long), r"does not fit .*generator\.\S+ is no float"),
        (lambda state: weights(state, lambda value: value.to(torch.complex64)), "is no float"),
        (lambda state: weights(state, lambda value: "x"), "is no float"),
        (lambda state: state.update(state_dict=[1]), "does not fit"),
        (lambda state: state.pop("state_dict"), "Missing key"),
        (lambda state: state.update(images_seen="x"), "says images_seen: 'x'"),
        (lambda state: state.update(populated=3), "says populated: 3"),
    ],
)
def test_checkpoints(run: Callable[..., Path], change: Callable[[dict], object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as told:
        load(run(change=change))
    assert len(str(told.value)) < 700


@pytest.mark.parametrize("precision", [torch.float16, torch.float64, torch.bfloat16])
def test_another_precision_is_no_other_content(run: Callable[..., Path], precision: torch.dtype) -> None:
    folder = run(change=lambda state: weights(state, lambda w: w.to(precision) if w.is_floating_point() else w))
    made, kept = (load(path).ema.module.state_dict() for path in (folder, RUN))
    for name, value in kept.items():
        torch.testing.assert_close(made[name], value, atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        ("seed: x", "says seed: x, which is no number"),
        ("seed: -1", "seed in .*config.yaml is -1: it must be at least 0"),
        ("seed: true", "says seed: True, which is no number"),
    ],
)
def test_configurations(run: Callable[..., Path], new: str, sentence: str) -> None:
    seed = next(line for line in CONFIG.splitlines() if line.startswith("seed:"))
    folder = run(CONFIG.replace(f"{seed}\n", f"{new}\n", 1))
    for read in (load, setting):
        with pytest.raises(UserError, match=sentence):
            read(folder)


@pytest.mark.parametrize("seen", ["", "x", "-3", "²", "9" * 5000])
def test_weights_that_say_nonsense(tmp_path: Path, seen: str) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"x": torch.zeros(1)}, path, {"config": CONFIG, "images_seen": seen})
    with pytest.raises(UserError, match="has no configuration inside"):
        load(path)
