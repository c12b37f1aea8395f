"""Launches of real processes, few because each costs an import of torch and Lightning, and shared by many tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

WORKER = Path(__file__).parent / "worker"
PATIENCE = 240  # seconds for one launch, on a machine that others use too

Found = dict[int, list[dict[str, Any]]]


class Answer(NamedTuple):
    """How the processes of a job have ended."""

    codes: list[int]
    out: list[str]
    err: list[str]
    seconds: float = 0.0


def environment(folder: Path) -> dict[str, str]:
    """One thread a process, and nothing that points to other processes, to a logger or to a cache elsewhere."""
    inherited = {key: value for key, value in os.environ.items() if key not in ("LOCAL_RANK", "WORLD_SIZE")}
    return inherited | {
        "PYTHONPATH": os.pathsep.join([str(WORKER.parents[2]), str(WORKER)]),
        "OMP_NUM_THREADS": "1",
        "WANDB_MODE": "disabled",
        "GANLIT_CACHE": str(folder / "cache"),
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
    return Answer([process.returncode], [out], [err])


def ranks(jobs: list[dict[str, Any]], folder: Path) -> dict[str, Answer]:
    """Runs jobs of several ranks side by side, see worker/ranks.py."""
    (folder / "jobs.json").write_text(json.dumps(jobs))
    answer = ended([sys.executable, str(WORKER / "ranks.py"), str(folder)], folder)
    assert answer.codes == [0], answer.err[0]
    found = json.loads((folder / "ended.json").read_text())

    def printed(name: str, suffix: str) -> list[str]:
        return [(folder / f"{name}-{rank}.{suffix}").read_text() for rank in range(len(found[name]["codes"]))]

    return {
        name: Answer(each["codes"], printed(name, "out"), printed(name, "err"), each["seconds"])
        for name, each in found.items()
    }


@pytest.fixture(scope="session")
def run_ended() -> Callable[..., Answer]:
    return ended


@pytest.fixture(scope="session")
def run_ranks() -> Callable[..., dict[str, Answer]]:
    return ranks


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
