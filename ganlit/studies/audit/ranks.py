"""Two real processes that play one step together, on the CPU."""

from __future__ import annotations

import os
import sys
import time
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from lightning.pytorch.plugins.environments import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy
from torch import distributed, multiprocessing

from ganlit.compute.strategy import AdversarialDDP
from ganlit.errors import UserError, reason
from ganlit.studies.audit.shares import Share, Step, step
from ganlit.tasks.base import AdversarialModule

WORLD = 2
PATIENCE = 120.0
"""Seconds that they get."""


class Meeting(AdversarialDDP):
    """Processes that have met before, through a file: no port, and no alarm, for who has started them waits."""

    def setup_environment(self) -> None:
        DDPStrategy.setup_environment(self)


def together(module: AdversarialModule, batch: Any, clock: int, share: Share, joined: bool) -> Step:
    """What the first of two processes finds, each of which plays half of a batch.

    They are forks of this one; where it could use a GPU, which no fork survives, they are started anew.

    Args:
        module: a copy, on the CPU.
        batch: all of it.
        clock: images seen before.
        share: how they play theirs.
        joined: whether batch normalisation sees the batches of both.

    Raises:
        UserError: they do not get through, or not in time.
    """
    forks = "fork" in multiprocessing.get_all_start_methods() and not torch.cuda.is_available()
    context = multiprocessing.get_context("fork" if forks else "spawn")
    with TemporaryDirectory() as place:
        folder, until = Path(place), time.monotonic() + PATIENCE
        ranks = [share._replace(rank=rank, world=WORLD) for rank in range(WORLD)]
        given = [(module, batch, clock, each, joined, folder) for each in ranks]
        processes = [context.Process(target=become, args=each, daemon=True) for each in given]
        try:
            for process in processes:
                process.start()
            for process in processes:
                process.join(max(0.0, until - time.monotonic()))
            late = any(process.is_alive() for process in processes)
        except Exception as error:
            raise UserError(f"no other process can be given these networks ({reason(error)}).") from error
        finally:
            for process in processes:
                if process.pid is not None:
                    process.kill()
                    process.join()
        for rank in range(WORLD):
            if (said := folder / f"{rank}.txt").exists():
                raise UserError(f"process {rank} fails ({said.read_text()}).")
        if late:
            raise UserError(f"two processes were not done after {PATIENCE:g} seconds.")
        if not (answer := folder / "0.pt").exists():
            raise UserError(f"a process has ended without a word, with exit code {processes[0].exitcode}.")
        return Step(*torch.load(answer, weights_only=True))


def become(module: AdversarialModule, batch: Any, clock: int, share: Share, joined: bool, folder: Path) -> None:
    """What one of the processes does, all its life."""
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    torch.set_num_threads(1)  # threads of a process that was forked would wait for ever
    os.environ |= {"LOCAL_RANK": str(share.rank), "NODE_RANK": "0", "WORLD_SIZE": str(share.world)}
    try:
        distributed.init_process_group(
            "gloo",
            init_method=f"file://{folder / 'meeting'}",
            rank=share.rank,
            world_size=share.world,
            timeout=timedelta(seconds=PATIENCE),
        )
        options = {
            "devices": share.world,
            "strategy": Meeting(process_group_backend="gloo"),
            "plugins": [LightningEnvironment()],
            "sync_batchnorm": joined,
        }
        mine = deepcopy(module)  # what another process hands over, both share
        found = step(mine, batch, clock, share, torch.device("cpu"), **options)
        torch.save(tuple(found), folder / f"{share.rank}.pt")
    except BaseException as error:  # Lightning turns some into an exit
        (folder / f"{share.rank}.txt").write_text(reason(error))
        sys.exit(1)
