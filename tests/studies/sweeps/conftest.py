from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from PIL import Image

import ganlit
from ganlit.records.state import State

TINY = """
kimg: 0.1
fidelity: null
wandb: null
recovery: {patience: 2, attempts: 1}
trainer: {accelerator: cpu, log_every_n_steps: 1}
model:
  class_path: Synthesis
  init_args:
    generator: {class_path: DCGenerator, init_args: {resolution: 16, channels: 1, width: 2, z_dim: 4}}
    discriminator: {class_path: DCDiscriminator, init_args: {resolution: 16, channels: 1, width: 2}}
    loss: NonSaturating
    ema: {class_path: EMA, init_args: {half_life: 0.1}}
    generator_optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.002}}
    discriminator_optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.002}}
data:
  class_path: Images
  init_args: {source: squares, channels: 1, resolution: 16, fit: resize, batch: 10, tick: 0.1}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with tiny.yaml and a dataset, in which all commands of a module run."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "tiny.yaml").write_text(TINY)
    (folder / "squares").mkdir()
    for index in range(40):
        Image.new("L", (16, 16), 50 + 4 * index).save(folder / "squares" / f"{index}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("WANDB_MODE", "disabled")
        patch.setenv("GANLIT_CACHE", str(folder / "cache"))
        patch.setenv("PYTHONPATH", str(Path(ganlit.__file__).parents[1]), prepend=os.pathsep)  # for trials
        yield folder


@pytest.fixture(scope="module")
def sweep_of(place: Path) -> Callable[..., Path]:
    """Writes a sweep.yaml of these parameters, and gives its folder."""

    def write(name: str, parameters: dict[str, object], **others: object) -> Path:
        folder = Path("experiments", name)
        folder.mkdir(parents=True, exist_ok=True)
        command = ["${interpreter}", "-m", "ganlit", "fit", "--config", "tiny.yaml", "${args}"]
        given = {"method": "grid", "parameters": parameters, "command": command, **others}
        (folder / "sweep.yaml").write_text(yaml.safe_dump(given, sort_keys=False))
        return folder

    return write


@pytest.fixture
def stands(place: Path) -> Callable[..., None]:
    """Writes what a run would have left."""

    def write(run: str, phase: str, loss: float | None = None, length: float = 0.1) -> None:
        folder = Path("runs", run)
        folder.mkdir(parents=True, exist_ok=True)
        state = State(phase, kimg=length, length=length, starts=1)
        (folder / "state.json").write_text(json.dumps(vars(state)))
        if loss is not None:
            (folder / "metrics.csv").write_text(f"kimg,discriminator/loss\n0.1,{loss}\n")

    return write
