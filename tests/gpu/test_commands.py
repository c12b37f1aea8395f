"""The commands of a user on the CPU or a GPU: train, go on, measure, make items."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from remains import checkpoint, rows_of
from squares import STYLES, paint, part, tiny, within

from ganlit.cli.main import main
from ganlit.records.state import read

pytestmark = pytest.mark.gpu

CONFIGS = Path(__file__).parents[2] / "configs"


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


DIGITS = ["--data.init_args.source=digits", "--data.init_args.held_out=0.1", "--data.init_args.convert=true"]
OF_DATA = {
    "enhancement/super_resolution": ["--fidelity.metrics=[psnr,ssim]", *DIGITS],
    "translation/unseen_map": ["--fidelity.metrics=[matched,psnr]", "--model.init_args.adversarial=Weight"],
}
"""The smallest configs of what takes data, on what comes with a package, without an Inception."""


@pytest.mark.parametrize("config", OF_DATA)
def test_a_shipped_config_of_what_takes_data_is_trained_and_gone_on_with(
    config: str, computer: dict[str, Any], tmp_path: Path
) -> None:
    """Thousands of images on a GPU, few on a CPU; the discriminator counts from half of them on."""
    kimg, images = (2.0, 200) if computer["accelerator"] == "gpu" else (0.064, 4)
    short = {"start": kimg / 2, "lead": kimg / 4}
    fit = ["fit", "--config", str(CONFIGS / f"{config}.yaml"), *OF_DATA[config]]
    fit += [f"--model.init_args.adversarial.{name}={value}" for name, value in short.items()]
    fit += [f"--data.init_args.{name}_images={images}" for name in ("val", "test")]
    fit += [f"--data.init_args.tick={kimg / 2}", "--trainer.accelerator", computer["accelerator"]]
    with within(tmp_path, ""):
        assert main([*fit, f"--kimg={kimg}"]) == 0
        assert main([*fit, f"--kimg={1.5 * kimg}", "--resume"]) == 0
    run = tmp_path / "runs" / Path(config).name
    found = checkpoint(run)
    assert found["images_seen"] == 1500 * kimg
    assert not found["skipped"]
    assert all(bool(value.isfinite().all()) for value in found["state_dict"].values() if value.is_floating_point())
    assert {"generator/adversarial", "discriminator/adversarial"} <= rows_of(run)[-1].keys()
