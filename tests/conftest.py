"""How tests share the cores; and one real run, offline on W&B, for all tests that read what it has left there."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import wandb
from wandb.proto.wandb_internal_pb2 import Record

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for torch, which no test has imported yet: two workers, two cores

SHARED = {"distributed": "distributed", "slurm": "slurm", "loggers": "recorded", "dashboard": "recorded"}
"""Folders whose tests share what takes long to make, and so one worker."""

CONFIG = """
seed: 3
kimg: 0.16
trainer: {accelerator: cpu, log_every_n_steps: 1, callbacks: null}
model:
  class_path: Synthesis
  init_args:
    generator: {class_path: StyleGenerator, init_args: {resolution: 16, channels: 1, classes: 2, z_dim: 4, w_dim: 4,
                mapping_depth: 1, channel_base: 64, channel_max: 4}}
    discriminator: {class_path: DCDiscriminator, init_args: {resolution: 16, channels: 1, width: 2}}
    loss: NonSaturating
    regularizers: [{class_path: R1, init_args: {weight: 0.1, every: 2}}]
    generator_regularizers: [{class_path: PathLength, init_args: {weight: 2.0, every: 2}}]
    augment: {class_path: ADA, init_args: {p: 0.2, interval: 1}}
    ema: {class_path: EMA, init_args: {half_life: 0.1}}
    generator_optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.002, betas: [0.0, 0.99]}}
    discriminator_optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.002}}
data: {class_path: Images, init_args: {source: squares, channels: 1, resolution: 16, fit: resize, batch: 20, tick: 0.08,
       val_images: 20, test_images: 40}}
fidelity: {metrics: [fid, kid, prdc, probe]}
wandb: {project: digits, group: 0007-question, tags: [quick, small], notes: a try}
"""


class Recorded(NamedTuple):
    """What W&B has of a run in its offline file."""

    folder: Path  # the run directory
    records: list[Record]

    def of(self, kind: str) -> list[Any]:
        return [getattr(record, kind) for record in self.records if record.WhichOneof("record_type") == kind]

    @property
    def history(self) -> list[dict[str, Any]]:
        return [tree(row.item) for row in self.of("history")]

    @property
    def config(self) -> dict[str, Any]:
        return {item.key: json.loads(item.value_json) for item in self.of("run")[0].config.update}

    @property
    def summary(self) -> dict[str, Any]:
        return tree(item for row in self.of("summary") for item in row.update)


def tree(items: Iterable[Any]) -> dict[str, Any]:
    """Names to values, also inside values."""
    found: dict[str, Any] = {}
    for item in items:
        *outer, name = item.nested_key or [item.key]
        inner = found
        for key in outer:
            inner = inner.setdefault(key, {})
        inner[name] = json.loads(item.value_json)
    return found


def read_records(path: Path) -> list[Record]:
    """The records of a .wandb file, LevelDB's log of blocks of 32 KiB after seven bytes; as many as there are whole."""
    data, place, whole, found = path.read_bytes(), 7, b"", []
    while place + 7 <= len(data):
        left = 2**15 - place % 2**15
        if left < 7:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + 7])
        whole += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # full, or the last part
            found.append(Record.FromString(whole))
            whole = b""
    return found


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keeps together what shares fixtures when `pytest -n 2` deals tests out to workers: a file, or a folder."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return SHARED.get(Path(file).parent.name, file)

    return Together(config, log)


@pytest.fixture(scope="session")
def reading() -> Any:
    """Reads the files of a run directory, in the order of its starts."""

    def read(folder: Path) -> list[Recorded]:
        wandb.teardown()  # its process writes the end of a file when it ends
        files = (folder / "wandb").glob("*run-*/run-*.wandb")
        files = sorted(files, key=lambda path: (path.parent.name.removeprefix("offline-"), path.stat().st_mtime))
        return [Recorded(folder, read_records(file)) for file in files]

    return read


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory, reading: Any) -> Recorded:
    """A whole run in a repository with a change that is not committed."""
    from PIL import Image

    from ganlit.cli.main import main
    from ganlit.metrics.features import FeatureExtractor

    class Means(FeatureExtractor):
        """Six means of an image's halves, in place of the Inception."""

        name, dim, protocol, batch = "means", 6, "means@0/none", 500

        def __init__(self, weights: Any = None, precision: str = "fp32", resize: str = "legacy") -> None:
            super().__init__()

        def encode(self, images: Any) -> dict[str, Any]:
            halves = images.unflatten(2, (2, -1)).float().mean((3, 4)) / 255
            return {"pool": halves.flatten(1)}

    place = tmp_path_factory.mktemp("recorded")
    (place / "tiny.yaml").write_text(CONFIG)
    for index in range(80):
        path = place / "squares" / ("dark", "light")[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 16), 50 + index + 50 * (index % 2)).save(path)
    (place / "code.py").write_text("one\n")
    who = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    for command in (
        ["init", "-q"],
        ["add", "code.py"],
        [*who, "commit", "-qm", "first"],
        ["remote", "add", "origin", "https://example.org/lab.git"],
    ):
        subprocess.run(["git", *command], cwd=place, check=True)
    (place / "code.py").write_text("one\ntwo\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for name in ("WANDB_PROJECT", "WANDB_RUN_ID", "WANDB_SWEEP_ID", "WANDB_NAME", "WANDB_API_KEY"):
            patch.delenv(name, raising=False)
        patch.setenv("WANDB_MODE", "offline")
        patch.setenv("GANLIT_CACHE", str(place / "cache"))
        patch.setattr("ganlit.metrics.images.backbones.Inception", Means)
        assert main(["fit", "--config", "tiny.yaml"]) == 0
    (run,) = reading(place / "runs" / "tiny")
    return run
