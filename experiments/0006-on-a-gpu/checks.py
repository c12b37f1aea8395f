"""Whether what touches a device works there: the tests of tests/gpu, in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from table import Row

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
PART = "checks"
TESTS = "tests/gpu"
FEW = f"{TESTS}/test_clock.py"  # that a rehearsal runs: all of them are in the suite


def environment(**more: str) -> dict[str, str]:
    """For a process that finds this checkout and what lies beside this file."""
    paths = [str(HERE), str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | more


def checks(out: Path, work: Path, seconds: float, smoke: bool) -> Iterator[Row]:
    """A row for each test as it ends, and one for each reason to skip some.

    Args:
        out: where tests.txt comes to lie, with what pytest says.
        work: where notes are passed on.
        seconds: after which the process is ended.
        smoke: whether a few tests are enough.
    """
    notes = work / "notes.jsonl"
    notes.touch()
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-p", "noting", "-p", "no:cacheprovider"]
    command.append(FEW if smoke else TESTS)
    skipped: Counter[str] = Counter()
    begun: list[str] = []
    deadline = time.monotonic() + seconds
    with (out / "tests.txt").open("w") as said, notes.open() as lines:
        place = {"cwd": REPOSITORY, "env": environment(KIT_NOTES=str(notes)), "stdout": said, "stderr": said}
        process = subprocess.Popen(command, **place)
        ended = False
        while not ended:
            ended = process.poll() is not None  # before the last look
            for line in map(json.loads, lines):
                if line["state"] == "begun":
                    begun.append(line["name"])
                elif line["state"] == "skipped":
                    skipped[line["why"]] += 1
                else:
                    yield row_of(line)
            if time.monotonic() > deadline:
                process.kill()
                last = short(begun[-1]) if begun else "all tests"
                yield Row(PART, last, "failed", why=f"had not ended after {seconds:.0f} s")
                break
            time.sleep(0.1)
        code = process.wait()
    for why, count in skipped.items():
        yield Row(PART, f"{count} tests", "skipped", why=why)
    if code not in (0, 1) and time.monotonic() <= deadline:
        yield Row(PART, "all tests", "failed", why=f"pytest has ended with exit code {code}: see tests.txt")


def row_of(line: dict[str, Any]) -> Row:
    found = {"found": "; ".join(f"{name} {figure(value)}" for name, value in line["found"].items())}
    return Row(PART, short(line["name"]), line["state"], found if line["found"] else {}, line["why"])


def short(name: str) -> str:
    """A test in words: "step: a step seeds the device[cuda]"."""
    file, _, test = name.partition("::")
    return f"{Path(file).stem}: {test}".replace("test_", "").replace("_", " ")


def figure(value: Any) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)
