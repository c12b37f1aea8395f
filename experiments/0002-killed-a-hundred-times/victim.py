"""A small training with all that has a state, in a process of its own that tells where it is and can be killed."""

from __future__ import annotations

import csv
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, Trainer
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from ganlit.cli.main import main
from ganlit.cli.run import Run
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.images import backbones
from ganlit.records import durable
from ganlit.tasks.base import AdversarialModule

CONFIG = """
name: victim
seed: 3
kimg: 1.3
trainer:
  accelerator: cpu
  log_every_n_steps: 1
  callbacks:
  - {class_path: Anneal, init_args: {end: "${kimg}", shape: cosine}}
  - {class_path: Anneal, init_args: {end: "${kimg}", what: gamma, to: 0.01, share: 0.8}}
model:
  class_path: Synthesis
  init_args:
    generator:
      class_path: StyleGenerator
      init_args: {resolution: 16, channels: 1, classes: 2, z_dim: 8, w_dim: 8, mapping_depth: 2, channel_base: 128,
                  channel_max: 16}
    discriminator:
      class_path: StyleDiscriminator
      init_args: {resolution: 16, channels: 1, classes: 2, channel_base: 128, channel_max: 16}
    loss: NonSaturating
    regularizers: [{class_path: R1, init_args: {weight: 0.1, every: 3}}]
    generator_regularizers: [{class_path: PathLength, init_args: {every: 2}}]
    augment: {class_path: ADA, init_args: {p: 0.2, target: 0.3, speed: 3.0, interval: 2}}
    ema: {class_path: EMA, init_args: {half_life: 0.1}}
    n_critic: 2
    generator_optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.003, betas: [0.0, 0.99]}}
    discriminator_optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.004, betas: [0.0, 0.99]}}
data:
  class_path: Images
  init_args: {source: ../pictures, channels: 1, resolution: 16, batch: 20, tick: 0.1, val_images: 100, test_images: 200}
"""

BATCH, TICK = 20, 100  # images, as configured
RUN = Path("runs") / "victim"
FIT = ("fit", "--config", "../victim.yaml", "--resume")

PHASES = ("start-up", "training", "validation", "write", "closing test")
START_UP, TRAINING, VALIDATION, WRITE, CLOSING_TEST = range(len(PHASES))

TIMINGS = ("time/", "speed/", "memory/")  # columns of metrics.csv that no two runs share

# A clean server imports all that is slow, once, and forks each run: before any thread has been started in it.
forks = multiprocessing.get_context("forkserver")


def prepare(place: Path) -> None:
    """Lays victim.yaml and its pictures into a folder, and readies the server of processes."""
    (place / "victim.yaml").write_text(CONFIG)
    generator = np.random.default_rng(0)
    for index in range(200):
        path = place / "pictures" / ("dark", "light")[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(100 * (index % 2), 156 + 100 * (index % 2), (16, 16), np.uint8)).save(path)
    forks.set_forkserver_preload(["ganlit.cli.commands"])  # by which `main` trains


class Tiny(FeatureExtractor):
    """Six means of an image's halves, in place of the Inception."""

    name = "tiny"
    dim = 6
    protocol = "tiny@0/none"
    batch = 500

    def __init__(self, weights: Path | None = None, precision: str = "fp32", resize: str = "legacy") -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1 / 255))

    def encode(self, images: Tensor) -> dict[str, Tensor]:
        return {"pool": adaptive_avg_pool2d(images * self.scale, (2, 1)).flatten(1)}


class Board:
    """What a process tells of itself, in a file that it shares with who watches it: it survives any end.

    Args:
        path: of the file, made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            np.zeros(3 + 3 * len(PHASES)).tofile(path)
        self.state = np.memmap(path, np.float64, "r+")  # [phase, images seen, images saved]
        # By phase: how often entered, how long in all, and at which entry to wait until the watcher takes this back.
        self.entries, self.seconds, self.holds = self.state[3:].reshape(3, -1)
        self.since = time.monotonic()

    phase = property(lambda self: int(self.state[0]))
    seen = property(lambda self: int(self.state[1]))
    saved = property(lambda self: int(self.state[2]))

    def enter(self, phase: int, anew: bool = True) -> None:
        now = time.monotonic()
        self.seconds[self.phase] += now - self.since
        self.state[0], self.since = phase, now
        self.entries[phase] += anew
        while anew and self.entries[phase] == self.holds[phase]:
            time.sleep(0.001)

    @contextmanager
    def writing(self) -> Iterator[None]:
        before = self.phase
        self.enter(WRITE)
        yield
        self.enter(before, anew=False)


class Watch(Callback):
    """Keeps the board, as the last of the callbacks."""

    def __init__(self, board: Board) -> None:
        self.board = board

    def on_train_batch_start(self, *_: Any) -> None:
        self.board.enter(TRAINING)

    def on_train_batch_end(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
        self.board.state[1] = pl_module.images_seen

    def on_validation_start(self, *_: Any) -> None:
        self.board.enter(VALIDATION)

    def on_validation_end(self, *_: Any) -> None:
        self.board.enter(TRAINING, anew=False)

    def on_train_end(self, *_: Any) -> None:
        self.board.enter(CLOSING_TEST)


def live(folder: Path, arguments: tuple[str, ...]) -> None:
    """What the process does: one command of ganlit, watched; its output goes to PID.log."""
    os.chdir(folder)
    output = os.open(f"{os.getpid()}.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ |= {"WANDB_MODE": "disabled", "GANLIT_CACHE": str(folder / "cache")}
    torch.set_num_threads(1)
    board = Board(folder / f"board{os.environ.get('LOCAL_RANK', '')}")  # started by Lightning, a rank has another
    board.enter(START_UP)
    callbacks, save, keep = Run.callbacks, durable.save, durable.keep

    def saved(checkpoint: dict[str, Any], path: Path) -> None:
        with board.writing():
            save(checkpoint, path)
        board.state[2] = checkpoint["images_seen"]

    def kept(path: Path, name: str) -> None:
        with board.writing():
            keep(path, name)

    Run.callbacks = lambda self, *given: [*callbacks(self, *given), Watch(board)]
    durable.save, durable.keep, backbones.Inception = saved, kept, Tiny
    code = main(list(arguments))
    board.enter(START_UP, anew=False)
    raise SystemExit(code)


class Group:
    """The same command on several processes, killed together; it answers like a process.

    Lightning starts the other ranks by running the script anew, so that there is nothing to fork here.
    """

    def __init__(self, folder: Path, arguments: tuple[str, ...]) -> None:
        command = [sys.executable, str(Path(__file__).absolute()), str(folder), *arguments]
        self.first = subprocess.Popen(command, start_new_session=True)
        self.pid = self.first.pid

    exitcode = property(lambda self: self.first.poll())

    def is_alive(self) -> bool:
        return self.exitcode is None

    def kill(self) -> None:
        if self.is_alive():
            os.killpg(self.pid, signal.SIGKILL)

    def join(self) -> None:
        self.first.wait()


def start(folder: Path, *arguments: str, processes: int = 1) -> BaseProcess | Group:
    """Starts a command in a folder beside victim.yaml, which is made where it is missing."""
    folder.mkdir(exist_ok=True)
    if processes > 1:
        return Group(folder, (*(arguments or FIT), f"--trainer.devices={processes}"))
    process = forks.Process(target=live, args=(folder, arguments or FIT))
    process.start()
    return process


def output(folder: Path, process: BaseProcess | Group) -> str:
    return (folder / f"{process.pid}.log").read_text()


def differences(one: Path, other: Path) -> list[str]:
    """Where two run directories differ, times aside: files, and in checkpoints and metrics.csv the part."""
    files = [{path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()} for run in (one, other)]
    found = sorted(files[0] ^ files[1])
    for name in sorted(files[0] & files[1] - {"lock", "state.json", "checkpoints/previous.ckpt"}):
        if name.endswith(".ckpt"):
            states = [flat(torch.load(run / name, weights_only=True)) for run in (one, other)]
            keys = sorted(key for key in states[0].keys() | states[1].keys() if "seconds" not in key)
            found += [f"{name}{key}" for key in keys if not same(states[0].get(key), states[1].get(key))]
        else:
            read = {"metrics.csv": numbers, "ema.safetensors": weights}.get(Path(name).name, Path.read_bytes)
            found += [name] * (not same(read(one / name), read(other / name)))
    return found


def weights(path: Path) -> dict[str, Any]:
    """What is in a safetensors file, in which the order of the metadata is not fixed."""
    return flat(durable.read_weights(path)._asdict())


def flat(tree: Any, path: str = "") -> dict[str, Any]:
    """The leaves of nested containers by their dotted place."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list | tuple) else ()
    leaves = {key: leaf for name, part in items for key, leaf in flat(part, f"{path}.{name}").items()}
    return leaves or {path: tree}


def same(one: Any, other: Any) -> bool:
    """Bit for bit, so that one NaN is like another."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.dtype == other.dtype and one.numpy().tobytes() == other.numpy().tobytes()
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


def numbers(metrics: Path) -> list[dict[str, str]]:
    """The rows of a metrics.csv without timings, and without those that hold nothing else."""
    with metrics.open(newline="") as file:
        rows = [
            {name: text for name, text in row.items() if text and not name.startswith(TIMINGS)}
            for row in csv.DictReader(file)
        ]
    return [row for row in rows if row.keys() != {"kimg"}]


if __name__ == "__main__":
    live(Path(sys.argv[1]), tuple(sys.argv[2:]))
