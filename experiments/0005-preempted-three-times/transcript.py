"""Preempts a run of two nodes three times on a real SLURM, and compares it with one that was let alone.

`python experiments/0005-preempted-three-times/transcript.py > transcript.txt`, as root, where slurm-wlm and munge are
installed. The cluster, the run and what befalls it are those of tests/slurm.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "toys"))

from remains import checkpoint, same
from slurm.cluster import Cluster
from slurm.conftest import Job, preempted, whole
from slurm.desk import Desk
from slurm.test_jobs import rows

SQUEUE = ("squeue", "--format", "%.6i %.9P %.10j %.2t %.6M %.5D %R")


class Told(Desk):
    """Tells what it does and sees."""

    began = time.monotonic()
    silent = True

    def tell(self, text: str) -> None:
        print(text.replace(f"{self.folder}/", "").rstrip(), flush=True)

    def at(self, text: str) -> None:
        self.tell(f"[{time.monotonic() - self.began:4.0f} s] {text}")

    def do(self, *command: str, check: bool = True, **variables: str) -> str:
        printed = super().do(*command, check=check, **variables)
        if not self.silent and "--oneliner" not in command and command != SQUEUE:
            words = [*(f"{name}={value}" for name, value in variables.items()), *command]
            self.at(f"$ {' '.join(words)}\n{printed}")
        return printed

    def reached(self, run: str, gate: str, ranks: int = 2) -> None:
        super().reached(run, gate, ranks)
        self.at(f"# both ranks of {run} wait at step {gate}\n{self.do(*SQUEUE)}")

    def restarted(self, job: str, times: int) -> None:
        super().restarted(job, times)
        self.at(f"# SLURM has queued job {job} again {times} times\n{self.do(*SQUEUE)}")


def unlike(one: Any, other: Any, path: str) -> list[str]:
    """The leaves of two trees of dictionaries that differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [leaf for key in one for leaf in unlike(one[key], other[key], f"{path}.{key}")]
    return [] if same(one, other) else [path]


def compare(desk: Told) -> None:
    alone, troubled = (desk.folder / "runs" / run for run in ("whole", "preempted"))
    one, other = (checkpoint(run) for run in (alone, troubled))
    for key in one:
        differing = unlike(one[key], other[key], key)
        desk.tell(f"last.ckpt {key:28} {', '.join(differing) + ' differ' if differing else 'bitwise equal'}")
    metrics = [rows(desk, run.name) for run in (alone, troubled)]
    desk.tell(
        f"metrics.csv, timings aside: {len(metrics[0])} rows, {'equal' if metrics[0] == metrics[1] else 'UNEQUAL'}"
    )
    starts = sorted(path.name for path in (troubled / "wandb").glob("offline-run-*"))
    desk.tell(f"W&B: {len(starts)} starts of run {', '.join({name.rpartition('-')[2] for name in starts})}")
    desk.tell(f"state.json: {(troubled / 'state.json').read_text()}")


def show(desk: Told, job: Job, title: str) -> None:
    desk.tell(f"\n===== {title}: {job.state}, exit code {job.code}, restarts {job.restarts}; slurm-{job.number}.out:")
    desk.tell("\n".join(line for line in job.printed.splitlines() if "socket.cpp" not in line))  # a warning of gloo's


def main() -> None:
    cluster = Cluster()
    cluster.up()
    try:
        with TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
            desk = Told(cluster, Path(folder))
            alone = pool.submit(whole, desk)
            desk.silent = False
            job = preempted(desk)
            show(desk, alone.result(), "whole, two ranks on one node, let alone")
            show(desk, job, "preempted, a rank on each of two nodes, stopped three times")
            desk.tell("\n===== the two compared")
            compare(desk)
    finally:
        cluster.down()


if __name__ == "__main__":
    main()
