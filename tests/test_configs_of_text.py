"""Every YAML of text that is shipped: parsed, built, and run for two steps, on letters of its length."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml

from ganlit import load
from ganlit.cli.commands import GanlitCLI
from ganlit.cli.main import main

CONFIGS = sorted((Path(__file__).parents[1] / "configs" / "text").glob("*.yaml"))
MINIATURE = ["--data.init_args.batch=4", "--data.init_args.val_images=4", "--kimg=0.008", "--fidelity=null"]
BOTH = ["adversarial.start=0.004", "adversarial.lead=0.004", "n_critic=1"]
"""The discriminator from the first step on, its verdict from the second."""

SMALL = {
    "seqgan_oracle": [
        *BOTH,
        "likelihood.end=1",
        "discriminator.filters=[2]",
        "discriminator.windows=[2]",
        "estimator.rollouts=1",
    ],
    "relgan_coco": [
        *BOTH,
        "estimator.temperature.start=0",
        "generator.head=4",
        "discriminator.filters=[2,2,2,2]",
        "discriminator.representations=2",
    ],
    "wgan_gp_characters": ["generator.width=4", "discriminator.width=4", "n_critic=1"],
    "lm_baseline": ["generator.width=8", "generator.layers=1"],
    "names": [*BOTH, "generator.hidden=8", "discriminator.filters=[2,2,2,2]"],
}
"""Of the model, as small as a test affords."""


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_config_of_text_runs(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setenv("GANLIT_CACHE", str(tmp_path / "cache"))
    settings = yaml.safe_load(config.read_text())
    own = settings["data"]["init_args"]
    kept = {"length": own["length"], "symbols": own["symbols"], "ends": "Oracle" not in settings["data"]["class_path"]}
    settings["data"] = {"class_path": "letters.Letters", "init_args": kept | {"tick": own["tick"]}}
    (tmp_path / "config").mkdir()
    file = tmp_path / "config" / f"{config.stem}.yaml"
    file.write_text(yaml.safe_dump(settings))
    small = [f"--model.init_args.{option}" for option in SMALL[config.stem]]
    given = [*MINIATURE, *small, f"--trainer.default_root_dir={tmp_path}", "--trainer.accelerator=cpu"]
    cli = GanlitCLI(["fit", "--config", str(file), *given])
    assert cli.config.fit.name == config.stem
    assert cli.model.images_seen == 8
    assert {"config.yaml", "metrics.csv", "overview.png"} <= {path.name for path in (tmp_path / config.stem).iterdir()}


def test_a_run_of_texts_is_loaded_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the commands that know images, for whatever is made of no data."""
    test_a_config_of_text_runs(next(path for path in CONFIGS if path.stem == "names"), tmp_path, monkeypatch)
    out = tmp_path / "written"
    assert main(["generate", str(tmp_path / "names"), "--count", "3", "--out", str(out)]) == 0
    assert "3 texts in" in capsys.readouterr().out
    assert [path.name for path in sorted(out.iterdir())] == [f"00000{number}.letters" for number in range(3)]
    module = load(tmp_path / "names")
    label = torch.zeros(2, dtype=torch.int64)
    prefix = torch.tensor([[3, 4], [5, 6]])
    texts = module.averaged(module.latents(label), label, temperature=0.0, prefix=prefix)
    assert texts.shape == (2, 12)
    assert torch.equal(texts[:, :2], prefix)
