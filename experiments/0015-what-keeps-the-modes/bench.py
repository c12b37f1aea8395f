"""Trains the bench's trials one after the other in this process, and adds a line to results.csv for each.

    python experiments/0015-what-keeps-the-modes/bench.py [--minutes 40] [--full | --only none "R1+R2" ...]

Run in the folder of the project. Trials that have their line are left out. Starting a process for each, as `sweep run`
does, would take as long as half of a trial does.
"""

from __future__ import annotations

import argparse
import csv
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from ganlit.cli.main import main
from ganlit.metrics.protocol import metric_of

HERE = Path(__file__).parent
RESULTS = HERE / "results.csv"
FIELDS = ("mixture", "loss", "regularizer", "seed", "modes", "quality", "rkl", "seconds")
LOSSES = ("NonSaturating", "Hinge", "Wasserstein", "Relativistic", "LeastSquares")
GAMMA = 0.1
REGULARIZERS: dict[str, dict[str, Any]] = {
    "none": {},
    "R1": {"R1": {}},
    "R1+R2": {"R1": {}, "R2": {}},
    "FiniteR1": {"FiniteR1": {}},
    "FiniteR1+R2": {"FiniteR1": {}, "FiniteR2": {}},
    "GradientPenalty": {"GradientPenalty": {}},
}
PACKS = {"packed by 2": 2, "packed by 4": 4}


def trials(full: bool, only: list[str]) -> Iterator[tuple[int, str, str, str]]:
    """Seed, mixture, loss and regularizer: all of them; or each loss without any and by R1+R2, and one loss by all.

    Or else this one loss by some.
    """
    for seed, mixture, loss, how in product(range(3), ("ring", "grid"), LOSSES, (*REGULARIZERS, *PACKS)):
        some = loss == "NonSaturating" or how in ("none", "R1+R2") or (loss, how) == ("Wasserstein", "GradientPenalty")
        if full or (loss == "NonSaturating" and how in only if only else some):
            yield seed, mixture, loss, how


def overlay(loss: str, how: str) -> dict[str, Any]:
    """What a trial changes, from small.yaml on."""
    chosen = [{"class_path": name, "init_args": {"weight": GAMMA}} for name in REGULARIZERS.get(how, {})]
    settings: dict[str, Any] = {"loss": loss, "regularizers": chosen}
    if items := PACKS.get(how):
        inside = {"channels": 2 * items, "width": 128, "depth": 2, "pieces": 2}
        network = {"class_path": "PlaneDiscriminator", "init_args": inside}
        settings["discriminator"] = {"class_path": "Packed", "init_args": {"network": network, "items": items}}
    whole = yaml.safe_load((HERE / "small.yaml").read_text())
    arguments = whole["model"]["init_args"]
    if "discriminator" in settings:
        del arguments["discriminator"]
    arguments |= settings
    return whole


def numbers(run: Path) -> dict[str, float]:
    """What was measured last."""
    with (run / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {metric_of(name): float(row[name]) for row in rows for name in row if "/nearest@" in name and row[name]}


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def known() -> set[tuple[str, ...]]:
    if not RESULTS.exists():
        return set()
    with RESULTS.open() as file:
        return {(row["seed"], row["mixture"], row["loss"], row["regularizer"]) for row in csv.DictReader(file)}


def bench(minutes: float, full: bool, only: list[str]) -> None:
    until = time.monotonic() + 60 * minutes
    for seed, mixture, loss, how in trials(full, only):
        if (str(seed), mixture, loss, how) in known() or time.monotonic() > until:
            continue
        name = f"bench-{mixture}-{loss}-{how.replace(' ', '-')}-{seed}".lower()
        file = Path("runs") / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(yaml.safe_dump(overlay(loss, how)))
        configs = [f"--config={path}" for path in (f"configs/plane/{mixture}.yaml", file)]
        began, code = cpu(), 1
        with suppress(SystemExit):
            code = main(["fit", *configs, f"--name={name}", f"--seed={seed}", "--wandb=null"])
        found = numbers(Path("runs") / name) if code == 0 else {}
        told = [found.get(metric, "nan") for metric in ("modes", "quality", "rkl")]
        first = not RESULTS.exists()
        with RESULTS.open("a", newline="") as results:
            rows = csv.writer(results, lineterminator="\n")
            rows.writerows([FIELDS] if first else [])
            rows.writerow([mixture, loss, how, seed, *told, f"{cpu() - began:.1f}"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", nargs="*", default=[])
    given = parser.parse_args()
    bench(given.minutes, given.full, given.only)
