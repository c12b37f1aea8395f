"""Runs jobs of several ranks, each rank a fork of this process, which imports torch and Lightning once for all of them.

    python ranks.py FOLDER

FOLDER/jobs.json lists them: {"name", "world", "target": "module:function", "arguments", "environment"}. What a rank
prints comes to FOLDER/<name>-<rank>.out and .err; FOLDER/ended.json holds, for each job, its exit codes in the order of
ranks and the time at which the last of them had ended. Lightning takes these for processes that someone else has
launched, as under SLURM or torchrun.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import random
import signal
import socket
import sys
import time
from contextlib import suppress
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

FORKS = get_context("fork")  # which leave by `os._exit`: else onnxruntime would wait for threads that no fork has
LIMIT = 200  # seconds after which a rank is killed, whatever it waits for


def free_port() -> int:
    """Below those that the system gives to outgoing connections, one of which could else take it before it is used."""
    while True:
        port = random.randrange(15000, 30000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def become(job: dict[str, Any], rank: int, port: int, folder: Path) -> None:
    """What a fork does for the rest of its life."""
    signal.alarm(LIMIT)
    os.environ |= job.get("environment", {})
    if job["world"] > 1:
        place = {"LOCAL_RANK": rank, "NODE_RANK": 0, "WORLD_SIZE": job["world"]}
        os.environ |= {key: str(value) for key, value in place.items()}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        import_module("lightning.pytorch.utilities").rank_zero_only.rank = rank  # it was read when that was imported
    for stream, suffix in ((sys.stdout, "out"), (sys.stderr, "err")):
        os.dup2(os.open(folder / f"{job['name']}-{rank}.{suffix}", os.O_WRONLY | os.O_CREAT), stream.fileno())
    module, _, function = job["target"].partition(":")
    try:
        sys.exit(getattr(import_module(module), function)(*job.get("arguments", [])))
    finally:
        atexit._run_exitfuncs()


def main(folder: Path) -> None:
    gc.disable()  # what is imported stays: neither this process nor its forks look through it for garbage
    import_module("ganlit.cli.commands")  # by which `ganlit.cli.main` trains
    gc.freeze()
    gc.enable()
    jobs = json.loads((folder / "jobs.json").read_text())
    running: dict[int, tuple[str, int]] = {}
    for job in jobs:
        port = free_port()
        for rank in range(job["world"]):
            fork = FORKS.Process(target=become, args=(job, rank, port, folder))
            fork.start()
            running[fork.pid] = job["name"], rank
    ended = {job["name"]: {"codes": [None] * job["world"], "ended": 0.0} for job in jobs}
    while running:
        pid, status = os.wait()
        name, rank = running.pop(pid)
        ended[name]["codes"][rank] = os.waitstatus_to_exitcode(status)
        ended[name]["ended"] = time.time()
    (folder / "ended.json").write_text(json.dumps(ended))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
