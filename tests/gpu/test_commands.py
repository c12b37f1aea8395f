"""The commands of a user on the CPU or a GPU: train, go on, measure, make items."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from remains import checkpoint
from squares import STYLES, paint, part, tiny, within

from ganlit.cli.main import main
from ganlit.records.state import read

pytestmark = pytest.mark.gpu


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where tiny.yaml trains on squares, with all that has a state."""
    paint(tmp_path / "squares")
    more = {"augment": part("ADA", p=0.2, interval=1), "generator_regularizers": [part("PathLength", every=2)]}
    with within(tmp_path, tiny(kimg=0.04, model=STYLES | more, fidelity={"metrics": ["fid", "prdc"]})):
        yield tmp_path


def test_a_run_is_trained_gone_on_with_measured_and_shown(place: Path, computer: dict[str, Any]) -> None:
    fit = ["fit", "--config", "tiny.yaml", "--trainer.accelerator", computer["accelerator"]]
    assert main(fit) == 0
    assert main([*fit, "--kimg", "0.08", "--resume"]) == 0
    run = place / "runs" / "tiny"
    assert checkpoint(run)["images_seen"] == 80
    assert (read(run).device == "cpu") == (computer["accelerator"] == "cpu")
    device = {"gpu": "cuda", "cpu": "cpu"}[computer["accelerator"]]
    assert main(["evaluate", "runs/tiny", "--metrics", "fid,prdc", "--device", device, "--json", "a.json"]) == 0
    assert json.loads((place / "a.json").read_text())
    assert main(["generate", "runs/tiny/checkpoints/ema.safetensors", "--count", "4", "--out", "made"]) == 0
    assert len(list((place / "made").glob("0*.png"))) == 4
