"""What a user of a cluster does, and what the tests see of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from squares import paint

from .cluster import Cluster

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
PATIENCE = 400  # seconds for anything to happen, on a machine that others use too
OVER = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED")


class Desk:
    """A project's folder on a cluster: a configuration, a sweep of it, a hundred pictures and the package's scripts.

    Args:
        cluster: where jobs go.
        folder: an empty one.
    """

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder
        self.notes = folder / "notes"
        shutil.copytree(REPOSITORY / "slurm", folder / "slurm")
        shutil.copy(HERE / "worker/tiny.yaml", folder)
        (folder / "experiments/0001-seeds").mkdir(parents=True)
        shutil.copy(HERE / "worker/sweep.yaml", folder / "experiments/0001-seeds")
        paint(folder / "squares")

    def do(self, *command: str, check: bool = True, **variables: str) -> str:
        """What a command prints in the project's folder on the login host."""
        tests = (HERE / "worker", REPOSITORY / "tests/distributed/worker", REPOSITORY / "tests/toys")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
        environment = inherited | {
            "PYTHONPATH": os.pathsep.join(map(str, (REPOSITORY, *tests))),
            "WANDB_MODE": "disabled",
            "GANLIT_CACHE": str(self.folder / "cache"),
            "NOTES": str(self.notes),
        }
        return self.cluster.exec(*command, check=check, folder=self.folder, env=environment | variables)

    def train(self, name: str, *options: str, partition: str = "main", **variables: str) -> str:
        """The number of a new job of train.sbatch, whose partition is all that is edited, for a run of this name."""
        place = ("--partition", partition, "--gpus-per-node", "0", "--cpus-per-task", "1", "--job-name", name)
        run = ("slurm/train.sbatch", "tiny.yaml", "--name", name)
        return self.do("sbatch", "--parsable", *place, *options, *run, **variables).strip()

    def show(self, job: str) -> dict[str, str]:
        """What SLURM knows of a job: JobState, Restarts, ExitCode, ..."""
        return dict(re.findall(r"(\w+)=(\S*)", self.do("scontrol", "--oneliner", "show", "job", job)))

    def output(self, job: str) -> str:
        """What a job has printed, over all its starts."""
        return Path(self.show(job)["StdOut"]).read_text()

    def arrays(self, sweep: str) -> list[dict[str, Any]]:
        """What `sweep submit` has noted of its jobs."""
        return json.loads((self.folder / "runs" / sweep / "jobs.json").read_text())

    def note(self, run: str, name: str) -> Path:
        """A file by which tests and the ranks of a run talk to one another, see gated.py."""
        (self.notes / run).mkdir(parents=True, exist_ok=True)
        return self.notes / run / name

    def hold(self, run: str, *gates: str) -> None:
        """Lets the ranks of a run wait there."""
        for gate in gates:
            self.note(run, f"stop-{gate}").touch()

    def reached(self, run: str, gate: str, ranks: int = 2) -> None:
        """Waits until all ranks of a run wait there."""
        self.until(lambda: all(self.note(run, f"{gate}-{rank}").exists() for rank in range(ranks)), f"{run} at {gate}")

    def restarted(self, job: str, times: int) -> None:
        """Waits until a job has been queued again so many times."""
        self.until(lambda: int(self.show(job)["Restarts"]) >= times, f"job {job} to be queued again", pause=1.0)

    def over(self, *jobs: str) -> list[str]:
        """Waits for jobs to end; their last states."""
        self.until(lambda: all(self.show(job)["JobState"] in OVER for job in jobs), f"jobs {jobs} to end", pause=1.0)
        return [self.show(job)["JobState"] for job in jobs]

    def until(self, fact: Callable[[], Any], what: str, pause: float = 0.3) -> None:
        """Waits for a fact, with a pause of some seconds between two looks: one at SLURM is dear.

        Raises:
            TimeoutError: in vain; with all that jobs have printed.
        """
        deadline = time.monotonic() + PATIENCE
        while not fact():
            if time.monotonic() > deadline:
                printed = [f"{path.name}:\n{path.read_text()[-3000:]}" for path in self.folder.glob("**/slurm-*.out")]
                raise TimeoutError("\n".join([f"waited for {what}", self.do("squeue"), *printed]))
            time.sleep(pause)
