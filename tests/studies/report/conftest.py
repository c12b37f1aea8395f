"""Runs as they lie on the disk, without the training."""

from __future__ import annotations

import copy
import csv
import fcntl
import json
import math
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

FID = "inception-2015-12-05@642bf592/legacy/digits-train@9288d0/ema"
OTHER = "inception-2015-12-05@642bf592/clean/digits-train@9288d0/ema"

ADAM = {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.002, "betas": [0.0, 0.99]}}
CONFIG = {
    "name": "x",
    "kimg": 40,
    "seed": 0,
    "trainer": {"accelerator": "cpu", "devices": "1", "default_root_dir": "runs"},
    "model": {
        "class_path": "ganlit.tasks.synthesis.Synthesis",
        "init_args": {
            "loss": {"class_path": "ganlit.losses.adversarial.NonSaturating"},
            "generator_optimizer": copy.deepcopy(ADAM),
            "discriminator_optimizer": copy.deepcopy(ADAM),
            "regularizers": [
                {"class_path": "ganlit.losses.regularizers.gradient.R1", "init_args": {"weight": 1.0, "every": 4}}
            ],
            "augment": None,
        },
    },
    "data": {
        "class_path": "ganlit.data.images.images.Images",
        "init_args": {"source": "digits", "batch": 64, "root": "d"},
    },
    "wandb": {"group": None},
}
GENERATOR_LR = ("model", "init_args", "generator_optimizer", "init_args", "lr")


def configured(changes: dict[tuple[Any, ...], Any]) -> dict[str, Any]:
    """The configuration with values changed, by path."""
    config = copy.deepcopy(CONFIG)
    for (*path, key), value in changes.items():
        place: Any = config
        for step in path:
            place = place[step]
        place[key] = value
    return config


def dumped(changes: dict[tuple[Any, ...], Any]) -> str:
    return yaml.dump(configured(changes), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))


def write_run(
    folder: Path,
    changes: dict[tuple[Any, ...], Any],
    end: float = 15.0,
    phase: str = "done",
    kimg: float = 40.0,
    tail: str = FID,
    reason: str | None = None,
    updated: str = "",
) -> Path:
    """A run directory whose FID falls to `end`; the closing test, of one that is done, says half a point less."""
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(dumped({**changes, ("name",): folder.name}))
    updated = updated or datetime.now().astimezone().isoformat(timespec="seconds")
    state = {"phase": phase, "kimg": kimg, "length": 40, "seconds": 1800, "starts": 1, "processes": 2, "device": "cpu"}
    (folder / "state.json").write_text(json.dumps({**state, "updated": updated, "reason": reason}))
    columns = ["kimg", "discriminator/adversarial", f"fid150/{tail}"]
    rows = []
    for clock in range(4, int(kimg) + 1, 4):
        rows.append([clock - 2, 1.3, ""])
        rows.append([clock, "", f"{end + 150 * math.exp(-clock / 6):.7g}"])
    if phase == "done":
        columns += [f"fid2k/{tail}", f"floor-fid2k/{tail.replace('ema', 'real')}"]
        rows.append([kimg, "", "", end - 0.5, 4.8])
    with (folder / "metrics.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *(row + [""] * (len(columns) - len(row)) for row in rows)])
    (folder / "samples").mkdir()
    for clock in (0, kimg):
        shade = int(end * 10) % 200 + 20
        Image.effect_noise((342, 274), shade).save(folder / "samples" / f"kimg{clock:08.1f}.png", compress_level=1)
    return folder


@pytest.fixture
def make() -> Callable[..., Path]:
    return write_run


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Four settings of three seeds, of which one failed, one diverged, one is running, one is pending, one was killed.

    The last setting was measured by another protocol.
    """
    monkeypatch.chdir(tmp_path)
    folder = Path("experiments/0004-lr")
    (folder / "trials").mkdir(parents=True)
    (folder / "sweep.yaml").write_text("method: grid\n")
    odd = {2: ("failed", 20.0), 4: ("diverged", 8.0), 7: ("running", 24.0), 9: ("running", 12.0)}
    reasons = {"failed": "CUDA error <out> of | memory", "diverged": "no finite step in ten"}
    for number in range(1, 13):
        lr = (0.0005, 0.001, 0.002, 0.004)[(number - 1) // 3]
        changes = {GENERATOR_LR: lr, ("seed",): number % 3, ("trainer", "default_root_dir"): "runs/0004-lr"}
        (folder / "trials" / f"{number:04}.yaml").write_text(dumped({**changes, ("name",): f"{number:04}"}))
        phase, kimg = odd.get(number, ("done", 40.0))
        if number != 6:
            tail = OTHER if number > 9 else FID
            run = Path(f"runs/0004-lr/{number:04}")
            write_run(run, changes, 10.0 + number, phase, kimg, tail, reasons.get(phase))
    with Path("runs/0004-lr/0007/lock").open("w") as lock:  # the ninth holds none
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


@pytest.fixture
def random_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twenty settings at random in four parameters, of which the learning rate matters most."""
    monkeypatch.chdir(tmp_path)
    draw = random.Random(0)
    for number in range(40):
        if number % 2 == 0:
            lr, batch = 10 ** draw.uniform(-4, -2), draw.choice([32, 64, 128])
            loss, weight = draw.choice(["NonSaturating", "Hinge"]), 10 ** draw.uniform(-1, 1)
        changes = {
            GENERATOR_LR: round(lr, 6),
            ("data", "init_args", "batch"): batch,
            ("model", "init_args", "loss"): {"class_path": f"ganlit.losses.adversarial.{loss}"},
            ("model", "init_args", "regularizers", 0, "init_args", "weight"): round(weight, 3),
            ("seed",): number % 2,
        }
        end = 15 + 12 * abs(math.log10(lr) + 1.7) + 3 * (loss == "Hinge") + draw.gauss(0, 1)
        write_run(Path(f"runs/{number:04}"), changes, end)
    return Path("runs")
