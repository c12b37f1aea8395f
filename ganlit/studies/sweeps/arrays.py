"""A sweep on SLURM: its trials as elements of job arrays, and a record of what was submitted."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_type_hints

import ganlit
from ganlit.compute import slurm
from ganlit.compute.console import say
from ganlit.errors import UserError
from ganlit.records import cache
from ganlit.records.durable import replacing
from ganlit.records.state import NOTHING, brief, fits
from ganlit.studies.sweeps.definition import Sweep

SCRIPT = Path("slurm", "sweep.sbatch")


@dataclass(frozen=True)
class Array:
    """A job array.

    Args:
        job: its number.
        offset: what a trial's number exceeds its element's by.
        elements: that it has.
        options: for sbatch, which the user gave.
        parallel: elements that may run at a time; None for as many as there is room for.
        submitted: when, in ISO 8601.
    """

    job: str
    offset: int
    elements: list[int]
    options: list[str]
    parallel: int | None = None
    submitted: str = ""

    @property
    def numbers(self) -> list[int]:
        """Of its trials."""
        return [element + self.offset for element in self.elements]


DEFAULTS = ("parallel", "submitted")


def alone(sweep: Sweep) -> AbstractContextManager[None]:
    """Keeps others from submitting trials while this process looks for those that nobody has, and submits them."""
    path = sweep.runs / "jobs.json"
    return cache.alone(path, lambda _: say(f"another process submits trials of {sweep.folder}: waiting for it"))


def split(numbers: Iterable[int], limit: int) -> list[tuple[int, list[int]]]:
    """Trials as arrays whose indices stay below a site's limit: the offset of each, and its elements."""
    room = limit - 1  # element 0 is never used
    parts: dict[int, list[int]] = {}
    for number in sorted(numbers):
        offset = (number - 1) // room * room
        parts.setdefault(offset, []).append(number - offset)
    return [*parts.items()]


def ranges(elements: Sequence[int]) -> str:
    """Sorted numbers as sbatch takes them: "1-4,7"."""
    runs: list[list[int]] = []
    for element in elements:
        if runs and element == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], element]
        else:
            runs.append([element])
    return ",".join("-".join(map(str, run)) for run in runs)


def submitted(sweep: Sweep) -> list[Array]:
    """All arrays that were submitted for a sweep, the latest last."""
    path = sweep.runs / "jobs.json"
    try:
        path.lstat()
        if not path.is_file():  # a pipe would be waited for
            raise ValueError("it is no file")
        known = json.loads(path.read_text())
        if not isinstance(known, list):
            raise ValueError(f"it is no list, but {brief(known)}")
        return [_array(number, each) for number, each in enumerate(known, 1)]
    except NOTHING:
        return []
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise UserError(
            f"{path} is damaged ({reason}): move it away; jobs in the queue are then not recognised."
        ) from None


def _array(number: int, given: Any) -> Array:
    kinds = get_type_hints(Array)
    if not isinstance(given, dict):
        raise ValueError(f"array {number} is {brief(given)}")
    for name, kind in kinds.items():
        if not fits(given.get(name), kind) and not (name in DEFAULTS and name not in given):
            raise ValueError(f"{name} of array {number} is {brief(given.get(name))}")
    return Array(**{name: given[name] for name in kinds if name in given})


def jobs(arrays: Iterable[Array], queue: Iterable[str]) -> dict[int, str]:
    """By trial, the job it was last submitted as, or the one that is in the queue."""
    known = set(queue)
    found: dict[int, str] = {}
    for array in arrays:
        for element, number in zip(array.elements, array.numbers, strict=True):
            if found.get(number) not in known:
                found[number] = f"{array.job}_{element}"
    return found


def again(arrays: Sequence[Array], numbers: Iterable[int]) -> list[tuple[Array, list[int]]]:
    """Trials by how they were last submitted; those that never were go as the last array did."""
    last = {number: array for array in arrays for number in array.numbers}
    groups: dict[str, tuple[Array, list[int]]] = {}
    for number in numbers:
        array = last.get(number, arrays[-1])
        groups.setdefault(json.dumps([array.options, array.parallel]), (array, []))[1].append(number)
    return [*groups.values()]


def submit(
    sweep: Sweep,
    numbers: Sequence[int],
    options: list[str],
    parallel: int | None,
    dry_run: bool = False,
) -> None:
    """Submits trials, or prints how it would be done.

    Args:
        sweep: the sweep.
        numbers: of the trials.
        options: for sbatch.
        parallel: trials at a time, over all arrays one after another.
        dry_run: only print.

    Raises:
        UserError: sbatch refuses; what it said is told as it is.
    """
    if not numbers:
        return
    script = SCRIPT if SCRIPT.is_file() else Path(ganlit.__file__).parents[1] / SCRIPT
    if not script.is_file():
        raise UserError(f"{SCRIPT} is not here: call this in the folder of the project.")
    limit = f"%{parallel}" if parallel else ""
    ours = [f"--job-name={sweep.name}", f"--output={sweep.runs / 'slurm-%A_%a.out'}"]
    after: list[str] = []
    for offset, elements in split(numbers, _limit(dry_run)):
        given = [f"--array={ranges(elements)}{limit}", *ours, *after, *options]
        arguments = [str(sweep.folder), str(offset)]
        if dry_run:
            say(shlex.join(["sbatch", *given, str(script), *arguments]))
            after = ["--dependency=afterany:JOB"] if parallel else []
            continue
        sweep.make_runs()
        job = slurm.submit(script, given, arguments)
        after = [f"--dependency=afterany:{job}"] if parallel else []  # or each array would take the limit for itself
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        array = Array(job, offset, elements, options, parallel, now)
        with replacing(sweep.runs / "jobs.json") as partial:
            partial.write_text(json.dumps([asdict(one) for one in [*submitted(sweep), array]], indent=1) + "\n")
        say(f"job {job}: trials {ranges(array.numbers)}; output in {sweep.runs}")


def _limit(dry_run: bool) -> int:
    """What the indices of an array must stay below, or, where there is no SLURM to ask, mostly stay below."""
    try:
        return slurm.max_array_size()
    except UserError as error:
        if not dry_run:
            raise
        say(f"with arrays of 1000 elements at most: {error}")
        return 1001
