"""Every YAML of points that is shipped: parsed, built, and run for two steps; the whole way of one."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PIL import Image

from ganlit.cli.commands import GanlitCLI
from ganlit.cli.main import main

CONFIGS = sorted((Path(__file__).parents[1] / "configs" / "plane").glob("*.yaml"))
SMALL = [
    *("--data.init_args.batch=8", "--data.init_args.tick=0.008", "--kimg=0.016", "--trainer.accelerator=cpu"),
    *("--data.init_args.val_images=50", "--data.init_args.test_images=60", "--data.init_args.measured=40"),
    *("--model.init_args.generator.width=8", "--model.init_args.discriminator.width=4", "--wandb=null"),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_config_of_points_runs(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path / "cache"))
    cli = GanlitCLI(["fit", "--config", str(config), *SMALL])
    assert cli.config.fit.name == config.stem
    run = tmp_path / "runs" / config.stem
    assert {path.name for path in run.glob("samples/*")} == {"real.png", *(f"kimg00000{n}.0.png" for n in range(1))}
    with Image.open(run / "film.gif") as film:
        assert film.size == (320, 320)
    kind = "ring8-sd0.01" if config.stem == "ring" else "grid25-sd0.05"
    with (run / "metrics.csv").open() as file:
        assert any(name.startswith(f"modes50/nearest@3deviations/plane/{kind}-40@") for name in next(csv.reader(file)))
    if config.stem == "ring":
        capsys.readouterr()
        assert main(["generate", str(run), "--count", "30", "--out", "points.csv"]) == 0
        assert len((tmp_path / "points.csv").read_text().splitlines()) == 31
        assert main(["evaluate", "points.csv", "--against", str(run), "--metrics", "modes,quality,fid"]) == 0
        assert "modes30/nearest@3deviations/plane/ring8-sd0.01-40@" in capsys.readouterr().out
