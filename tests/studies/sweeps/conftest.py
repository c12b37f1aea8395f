from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from squares import part, tiny

import ganlit
from ganlit.records.state import State


@pytest.fixture(scope="module")
def configuration() -> str:
    off = {"fidelity": None, "wandb": None}
    recovery = {"patience": 2, "attempts": 1}
    return tiny(model={"ema": part("EMA", half_life=0.1)}, data={"batch": 10}, recovery=recovery, **off)


@pytest.fixture(scope="module")
def place(place: Path) -> Iterator[Path]:
    """Trials, which are processes, find the package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(ganlit.__file__).parents[1]), prepend=os.pathsep)
        yield place


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
    """Writes what a run would have left, with an empty checkpoint."""

    def write(run: str, phase: str, loss: float | None = None, length: float = 0.1) -> None:
        folder = Path("runs", run)
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        zipfile.ZipFile(folder / "checkpoints" / "last.ckpt", "w").close()
        state = State(phase, kimg=length, length=length, starts=1)
        (folder / "state.json").write_text(json.dumps(vars(state)))
        if loss is not None:
            (folder / "metrics.csv").write_text(f"kimg,discriminator/loss\n0.1,{loss}\n")

    return write
