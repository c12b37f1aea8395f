"""Real jobs on a real SLURM: few, because each process imports torch and Lightning, side by side, for many tests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import pytest

from .cluster import Cluster, obstacle
from .desk import Desk

AFTERWARDS = """
from ganlit.cli.main import main

for command in ("status", "retry --failed", "retry --failed", "status"):
    words = command.split()
    print(command, main(["sweep", words[0], "experiments/0001-seeds", *words[1:]]), flush=True)
"""


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    if reason := obstacle():
        pytest.skip(f"no SLURM: {reason}")
    cluster = Cluster()
    cluster.up()
    yield cluster
    cluster.down()


@pytest.fixture(scope="session")
def desk(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(cluster, tmp_path_factory.mktemp("desk"))


class Job(NamedTuple):
    """How a job has ended."""

    number: str
    state: str
    restarts: int
    code: str  # such as "1:0", an exit code and a signal
    printed: str


def ended(desk: Desk, job: str) -> Job:
    (state,) = desk.over(job)
    facts = desk.show(job)
    return Job(job, state, int(facts["Restarts"]), facts["ExitCode"], desk.output(job))


def preempted(desk: Desk) -> Job:
    """By SIGUSR1, by its time limit and by `scontrol requeue`; the first start finds no commands of SLURM."""
    desk.note("preempted", "alone").touch()
    desk.hold("preempted", "4", "8", "12")
    job = desk.train("preempted", WANDB_MODE="offline")
    desk.reached("preempted", "4", ranks=1)
    for _ in range(2):  # the second must not end it before it has saved
        desk.do("scancel", "--signal=USR1", job)
    desk.restarted(job, 1)
    desk.note("preempted", "alone").unlink()
    desk.reached("preempted", "8", ranks=1)
    minutes = int(desk.show(job)["RunTime"].split(":")[1])
    desk.do("scontrol", "update", f"JobId={job}", f"TimeLimit={minutes + 2}")  # the last two are announced
    desk.restarted(job, 2)
    desk.do("scontrol", "update", f"JobId={job}", "TimeLimit=60")
    desk.reached("preempted", "12", ranks=1)
    desk.do("scontrol", "requeue", job)
    return ended(desk, job)


def unlucky(desk: Desk) -> Job:
    """Of two nodes: is asked to go before its first step, has to make room for a better one, and loses a node."""
    desk.hold("unlucky", "ready", "6", "11")
    job = desk.train("unlucky", "--nodes=2", partition="low")
    desk.reached("unlucky", "ready")
    desk.do("scancel", "--signal=USR1", job)
    desk.restarted(job, 1)
    desk.note("unlucky", "stop-ready").unlink()
    desk.reached("unlucky", "6")
    better = desk.do("sbatch", "--parsable", "-phigh", "-wn3", "--exclusive", "--wrap=true").strip()
    desk.restarted(job, 2)
    desk.over(better)
    desk.reached("unlucky", "11")
    desk.note("unlucky", "stop-11").unlink()
    desk.cluster.crash("n3")
    desk.restarted(job, 3)
    desk.cluster.revive("n3")
    return ended(desk, job)


def whole(desk: Desk) -> Job:
    """Two ranks on one node, never stopped."""
    return ended(desk, desk.train("whole", "--ntasks-per-node=2"))


def four(desk: Desk) -> Job:
    """Two ranks on each of two nodes."""
    return ended(desk, desk.train("four", "--nodes=2", "--ntasks-per-node=2"))


class Swept(NamedTuple):
    """How the jobs of a sweep have ended, by trial, and what its commands have printed."""

    trials: dict[int, Job]
    again: Job  # the one that was retried
    submitted: str
    afterwards: str


def swept(desk: Desk) -> Swept:
    """Three trials, of which the second is preempted and the third fails, and is retried."""
    desk.hold("0001-seeds/0002", "2")
    desk.note("0001-seeds/0003", "bad").touch()
    options = ("--partition=main", "--gpus=0", "--cpus=1", "--max-parallel=2")
    submitted = desk.do("python", "-m", "ganlit", "sweep", "submit", "experiments/0001-seeds", *options)
    numbers = {
        element + array["offset"]: f"{array['job']}_{element}"
        for array in desk.arrays("0001-seeds")
        for element in array["elements"]
    }
    desk.reached("0001-seeds/0002", "2", ranks=1)
    desk.do("scancel", "--signal=USR1", numbers[2])
    trials = {number: ended(desk, job) for number, job in numbers.items()}
    desk.note("0001-seeds/0003", "bad").unlink()
    afterwards = desk.do("python", "-c", AFTERWARDS)
    retried = desk.arrays("0001-seeds")[-1]
    return Swept(trials, ended(desk, f"{retried['job']}_{retried['elements'][0]}"), submitted, afterwards)


@pytest.fixture(scope="session")
def jobs(desk: Desk) -> Iterator[dict[str, Future[Job] | Future[Swept]]]:
    """How jobs have ended, by the name of their run; each test waits for its own."""
    pool = ThreadPoolExecutor()
    yield {story.__name__: pool.submit(story, desk) for story in (preempted, unlucky, whole, four, swept)}
    pool.shutdown(wait=False)  # a story that nobody waits for ends with the cluster
