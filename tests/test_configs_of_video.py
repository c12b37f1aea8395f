"""Every YAML of video that is shipped: parsed, built, and run for two steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from ganlit.cli.commands import GanlitCLI

CONFIGS = sorted((Path(__file__).parents[1] / "configs" / "video").glob("*.yaml"))
DATA = {"batch": 4, "val_images": 4, "test_images": 4, "resolution": 16, "split": "train"}
STYLES = {"content_dim": 4, "w_dim": 4, "mapping_depth": 1, "motion_dim": 4, "motion_z": 2, "channel_base": 64}
WEIGHT = {"start": 0.004, "lead": 0}  # the adversarial term counts from the second step on
MINIATURE = DATA | STYLES | WEIGHT | {"width": 4, "kimg": 0.008, "fidelity": None}
"""Wherever a config sets one of these, as small as a test affords."""
FEW = {"class_path": "Samples", "init_args": {"rows": 3, "columns": 2}}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight clips of noise in two classes, as numbered pictures."""
    folder = tmp_path_factory.mktemp("video") / "clips"
    for index in range(8):
        place = folder / f"kind{index % 2}" / f"{index}"
        place.mkdir(parents=True)
        for number, pixels in enumerate(np.random.default_rng(index).integers(0, 256, (16, 16, 24, 3), dtype=np.uint8)):
            Image.fromarray(pixels).save(place / f"{number:02}.png")
    return folder


def small(setting: Any, clips: Path) -> Any:
    """A setting, or what it holds, of which the same is left but for its size and for clips that lie elsewhere."""
    if isinstance(setting, list):
        return [small(each, clips) for each in setting]
    if not isinstance(setting, dict):
        return setting
    own = MINIATURE | {"source": str(clips)}
    refers = [key for key, value in setting.items() if str(value).startswith("${")]
    return {
        key: own[key] if key in own and key not in refers else small(value, clips) for key, value in setting.items()
    }


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_config_of_video_runs(config: Path, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setenv("GANLIT_CACHE", str(clips.parent / "cache"))
    setting = small(yaml.safe_load(config.read_text()), clips)
    setting["trainer"].setdefault("callbacks", []).append(FEW)
    (tmp_path / config.name).write_text(yaml.safe_dump(setting))
    given = [f"--trainer.default_root_dir={tmp_path}", "--trainer.accelerator=cpu"]
    cli = GanlitCLI(["fit", "--config", str(tmp_path / config.name), *given])
    assert cli.config.fit.name == config.stem
    assert cli.model.images_seen == 8
    written = {path.name for path in (tmp_path / config.stem).glob("*")}
    assert {"config.yaml", "metrics.csv", "overview.png"} <= written
    assert (tmp_path / config.stem / "samples" / "kimg000000.0-00.gif").exists()
