"""Launches of real processes, few because each costs an import of torch and Lightning, and shared by many tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from squares import STYLES, paint, part, tiny

WORKER = Path(__file__).parent / "worker"
PATIENCE = 240  # seconds for one launch, on a machine that others use too

Found = dict[int, list[dict[str, Any]]]

TINY = tiny(
    "faulty.Faulty",
    kimg=0.3,
    model=STYLES
    | {
        "augment": part("ADA", p=0.2, target=0.2, speed=1.0, interval=2),
        "generator_regularizers": [part("PathLength", weight=0.5, every=2)],
    },
)

# "rank:step:what", and further options; without a fault a run goes to its end.
FORKED = {
    "whole": ("", "--data.init_args.stage=$SCRATCH"),
    "error": ("0:2:error", "--fidelity=null"),
    "refusal": ("1:2:refusal", "--fidelity=null"),
    "kill": ("0:2:SIGKILL", "--fidelity=null"),
    "error beside a hang": ("0:2:hang 1:2:error", "--fidelity=null"),
    "room": ("0:validation:SIGUSR1",),
    "other's room": ("1:2:SIGUSR1", "--fidelity=null"),
    "diverged": ("", "--fidelity=null", "--model.discriminator_optimizer.lr=1e25"),
    "uneven": ("", "--fidelity=null", "--model.accumulate=4"),
}
LAUNCHED = {"stopped": "0:7:SIGTERM", "launched error": "1:2:error", "launched kill": "1:2:SIGKILL"}


class Answer(NamedTuple):
    """How the processes of a job have ended."""

    codes: list[int]
    out: list[str]
    err: list[str]
    ended: float  # seconds since the epoch


def environment(folder: Path) -> dict[str, str]:
    """One thread a process, and nothing that points to other processes, a seed, a logger or a cache elsewhere."""
    left = ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "PL_GLOBAL_SEED")  # by what was run in this very process before
    inherited = {key: value for key, value in os.environ.items() if key not in left}
    return inherited | {
        "PYTHONPATH": os.pathsep.join(map(str, (WORKER.parents[2], WORKER.parents[1] / "toys", WORKER))),
        "OMP_NUM_THREADS": "1",
        "WANDB_MODE": "disabled",
        "GANLIT_CACHE": str(folder / "cache"),
        "SCRATCH": str(folder / "scratch"),
    }


def ended(command: list[str], folder: Path, **more: str) -> Answer:
    """Runs a command until it and all processes that it has started have ended: one pipe is open in all of them."""
    options = {"cwd": folder, "env": environment(folder) | more, "text": True, "start_new_session": True}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return Answer([process.returncode], [out], [err], time.time())


def ranks(jobs: list[dict[str, Any]], folder: Path) -> dict[str, Answer]:
    """Runs jobs of several ranks side by side, see worker/ranks.py."""
    (folder / "jobs.json").write_text(json.dumps(jobs))
    answer = ended([sys.executable, str(WORKER / "ranks.py"), str(folder)], folder)
    assert answer.codes == [0], answer.err[0]
    found = json.loads((folder / "ended.json").read_text())

    def printed(name: str, suffix: str) -> list[str]:
        return [(folder / f"{name}-{rank}.{suffix}").read_text() for rank in range(len(found[name]["codes"]))]

    return {
        name: Answer(each["codes"], printed(name, "out"), printed(name, "err"), each["ended"])
        for name, each in found.items()
    }


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What 1, 2 and 3 processes have found out: by their number, one dictionary for each rank."""
    folder = tmp_path_factory.mktemp("worlds")
    worlds = (1, 2, 3)
    jobs = [
        {"name": f"world{world}", "world": world, "target": "checks:record", "arguments": [str(folder)]}
        for world in worlds
    ]
    for name, answer in ranks(jobs, folder).items():
        assert not any(answer.codes), f"{name}: {answer.codes}\n" + "\n".join(answer.err)
    return {
        world: [torch.load(folder / f"{world}-{rank}.pt", weights_only=True) for rank in range(world)]
        for world in worlds
    }


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny.yaml and a hundred squares in which commands run."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "tiny.yaml").write_text(TINY)
    paint(folder / "squares")
    return folder


@pytest.fixture(scope="session")
def commands(place: Path) -> dict[str, Answer]:
    """How commands of two processes ended, by name: launched by Lightning itself, or "forked" by somebody else.

    The run `whole` was never stopped, and read its pixels from a copy; `stopped` was, in the middle of a tick, and
    resumed by two processes of torchrun, with a copy from then on; `alone` is a copy of the run that one process has
    resumed.
    """
    forked = [
        {
            "name": name,
            "world": 2,
            "target": "ganlit.cli.main:main",
            "arguments": [fit(name, *more)],
            "environment": {"FAULT": fault, "SERVED": str(served(place, name))},
        }
        for name, (fault, *more) in FORKED.items()
    ]
    with ThreadPoolExecutor() as pool:
        started = {name: pool.submit(launched, place, name, FAULT=fault) for name, fault in LAUNCHED.items()}
        answers = ranks(forked, place) | {name: answer.result() for name, answer in started.items()}
        assert answers["stopped"].codes == [128 + signal.SIGTERM], answers["stopped"].err[0]
        shutil.copytree(place / "runs/stopped", place / "runs/alone")
        resumed = pool.submit(torchrun, place, "stopped", "--resume", "--data.init_args.stage=$SCRATCH")
        alone = pool.submit(launched, place, "alone", "--resume", "--trainer.devices=1")
        return answers | {"resumed": resumed.result(), "alone": alone.result()}


def fit(name: str, *more: str) -> list[str]:
    return ["fit", "--config", "tiny.yaml", "--name", name, "--trainer.devices=2", *more]


def served(place: Path, name: str) -> Path:
    """The folder in which the ranks of a run note what they train on."""
    folder = place / "served" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def launched(place: Path, name: str, *more: str, **variables: str) -> Answer:
    """A command, whose further processes Lightning starts."""
    command = [sys.executable, "-m", "ganlit", *fit(name, *more)]
    return ended(command, place, SERVED=str(served(place, name)), **variables)


def torchrun(place: Path, name: str, *more: str) -> Answer:
    """A command, whose processes torchrun starts."""
    options = ["--nproc_per_node=2", f"--master_port={29400 + os.getpid() % 500}"]
    command = [sys.executable, "-m", "torch.distributed.run", *options, "-m", "ganlit", *fit(name, *more)]
    return ended(command, place, SERVED=str(served(place, name)))
