"""What ganlit asks of SLURM, by its own commands: who am I, run this, run me again, what is waiting."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from ganlit.errors import UserError

PATIENCE = 100  # seconds for an answer of a busy controller, and for what a dead node still holds

NODE_PATIENCE = 400  # seconds; a node is down after SlurmdTimeout, 300 by default

REQUEUE = 75  # exit code of a run that wants to be started again: EX_TEMPFAIL, for `RequeueExit=75` and scripts


def job(environment: Mapping[str, str] = os.environ) -> str | None:
    """The job that this process belongs to, as `scontrol` calls it: "12", or "12_3" for an element of an array."""
    array, element = environment.get("SLURM_ARRAY_JOB_ID"), environment.get("SLURM_ARRAY_TASK_ID")
    if array and element:
        return f"{array}_{element}"
    return environment.get("SLURM_JOB_ID") or None


def restarted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this job has run before: it was queued again after a preemption or the failure of a node."""
    return environment.get("SLURM_RESTART_COUNT", "0") != "0"


def await_verdict() -> None:
    """Waits for SLURM to end this process after another one of its job has vanished.

    It may be that a node has failed, which takes SLURM minutes to see: then it queues the job again, but not where the
    job has ended with an error before. Of a process that was killed srun knows at once; how long it leaves the others
    is for `srun --wait` to say.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    time.sleep(NODE_PATIENCE)


def ask(*command: str) -> str:
    """What a command of SLURM prints.

    Raises:
        UserError: it is not installed, does not answer, or refuses; what it said is told as it is.
    """
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except FileNotFoundError:
        raise UserError(f"{command[0]} is not on this machine: run this where SLURM's commands are.") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{command[0]} has not answered for {PATIENCE} seconds: try again later.") from None
    if answer.returncode:
        raise UserError(f"{command[0]}: {' '.join((answer.stderr or answer.stdout).split())}")
    return answer.stdout


def requeue(job: str) -> None:
    """Puts a running job back into the queue; SLURM ends its processes soon after.

    Raises:
        UserError: SLURM refuses, or its commands are not here, as in many containers.
    """
    ask("scontrol", "requeue", job)


def submit(script: Path, options: list[str], arguments: list[str]) -> str:
    """Submits a batch script.

    Returns:
        The number of the job.

    Raises:
        UserError: sbatch refuses.
    """
    return ask("sbatch", "--parsable", *options, str(script), *arguments).strip().partition(";")[0]


def queue() -> dict[str, str]:
    """The state, such as "PENDING" or "RUNNING", of every job of this user, elements of arrays one by one."""
    user = str(os.getuid())
    lines = ask("squeue", "--noheader", "--array", "--user", user, "--format", "%i %T").splitlines()
    return dict(line.split() for line in lines if line)


def max_array_size() -> int:
    """What the indices of an array must stay below on this site."""
    found = re.search(r"MaxArraySize\s*=\s*(\d+)", ask("scontrol", "show", "config"))
    return int(found[1]) if found else 1001
