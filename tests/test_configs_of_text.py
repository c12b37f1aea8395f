"""Every YAML of text that is shipped: parsed, built, and run for two steps, on letters of its length."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ganlit.cli.commands import GanlitCLI

CONFIGS = sorted((Path(__file__).parents[1] / "configs" / "text").glob("*.yaml"))
MINIATURE = ["--data.init_args.batch=4", "--data.init_args.val_images=4", "--kimg=0.008", "--fidelity=null"]
BOTH = ["adversarial.start=0.004", "adversarial.lead=0.004", "n_critic=1"]
"""The discriminator from the first step on, its verdict from the second."""

SMALL = {
    "seqgan_oracle": [*BOTH, "likelihood.end=null", "discriminator.filters=[2]", "discriminator.windows=[2]", "estimator.rollouts=1"],
    "relgan_coco": [*BOTH, "estimator.temperature.start=0", "generator.head=4", "discriminator.filters=[2,2,2,2]", "discriminator.representations=2"],
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
