"""Trains the runs of trials.py one after the other in this process; those that are done are left out.

    GANLIT_TRUST=eyes PYTHONPATH=experiments/0016-does-the-detector-tell \
        python experiments/0016-does-the-detector-tell/bench.py [--minutes 60] [--seeds 0 1] [--only dcgan]

Run in the folder that holds digits16, which folders.py writes. A run that dies leaves its metrics.csv all the same, and
a line in done.csv with its exit code and its seconds of CPU.
"""

from __future__ import annotations

import argparse
import csv
import re
import resource
import time
import traceback
from contextlib import suppress
from pathlib import Path

import yaml
from trials import TRIALS, overlay

from ganlit.cli.main import main

CONFIGS = Path(__file__).parents[2] / "configs"
BASES = {"ring": "plane/ring", "grid": "plane/grid", "dcgan": "dcgan", "style": "stylegan_lite"}
DONE = Path("done.csv")


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def known() -> set[str]:
    if not DONE.exists():
        return set()
    with DONE.open() as file:
        return {row[0] for row in csv.reader(file)}


def train(base: str, trial: str, seed: int) -> None:
    name = f"{base}-{trial}-{seed}"
    if name in known():
        return
    file = Path("overlays") / f"{name}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(overlay(base, trial), sort_keys=False))
    configs = [f"--config={path}" for path in (CONFIGS / f"{BASES[base]}.yaml", file)]
    began, code = cpu(), 1
    try:
        with suppress(SystemExit):
            code = main(["fit", *configs, f"--name={name}", f"--seed={seed}", "--wandb=null"])
    except Exception:
        traceback.print_exc()
    with DONE.open("a", newline="") as done:
        csv.writer(done, lineterminator="\n").writerow([name, code, f"{cpu() - began:.1f}"])


def bench(minutes: float, seeds: list[int], only: str) -> None:
    until = time.monotonic() + 60 * minutes
    for seed in seeds:
        for base, trial in TRIALS:
            if re.search(only, f"{base}-{trial}") and time.monotonic() < until:
                train(base, trial, seed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    bench(given.minutes, given.seeds, given.only)
