"""What the options of `evaluate` must be, and which of them fit together: told before any work is done."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from ganlit.contracts import Modality
from ganlit.errors import UserError
from ganlit.metrics.measure import by_extractor
from ganlit.metrics.paired import PAIRED
from ganlit.studies.evaluation.subject import Weights, is_run

DATASETS = Path("datasets")


class Sides(NamedTuple):
    """What is measured, what it is measured against, and the options that only some of these have an ear for."""

    subject: str
    against: str | None
    split: str
    against_split: str
    root: Path
    weights: Weights
    truncation: float
    checkpoint: str


def sorted_out(
    metrics: str, with_neighbours: bool, modality: Modality | None = None
) -> tuple[dict[str, list[str]], list[str]]:
    """The metrics by the extractor that they share, and those that compare pairs, of a modality or of any."""
    words = [word.strip() for word in metrics.split(",") if word.strip()]
    known = PAIRED.get(modality.name, {}) if modality else {name for each in PAIRED.values() for name in each}
    paired = [word for word in words if word in known]
    others = [word for word in words if word not in known]
    asked = by_extractor(others, "--metrics", modality.extractor if modality else "") if others or not paired else {}
    if with_neighbours and not any("memorisation" in group for group in asked.values()):
        raise UserError("--neighbours shows what memorisation measures: add it to --metrics.")
    return asked, paired


def refuse_numbers(count: int | None, truncation: float, seed: int | None, bootstrap: int) -> None:
    """Refuses numbers that mean nothing."""
    if count is not None and count < 1:
        raise UserError(f"--count is {count}: it must be positive.")
    if not truncation > 0:
        raise UserError(f"--truncation is {truncation:g}: it must be positive.")
    if seed is not None and seed < 0:
        raise UserError(f"--seed is {seed}: it must not be negative.")
    if bootstrap < 0 or bootstrap == 1:
        raise UserError(f"--bootstrap is {bootstrap}: it must be 0 for none, or 2 at least.")


def refuse_idle_options(sides: Sides) -> None:
    """Refuses options that nothing would listen to."""
    subject, against = sides.subject, sides.against
    if not is_run(subject):
        about, those = "is about a run, and {} is none", ("weights", "truncation", "checkpoint")
        _refuse(sides, those, about.format(subject))
        if against is None:
            raise UserError(f"{subject} is no run, which would have training data: say what it is measured --against.")
    else:
        _refuse(sides, ("split",), f"is about a dataset, and {subject} is a run")
        if Path(subject).suffix == ".safetensors":
            _refuse(sides, ("checkpoint",), f"is about a run directory, and {subject} is one file of it")
    if is_run(against or subject):
        _refuse(sides, ("against_split",), f"is about a dataset, and {against or subject} stands for its training data")
        if is_run(subject):
            _refuse(sides, ("root",), "is about datasets by name, and a run knows where its data lie")


def make_room(path: Path, option: str) -> None:
    """Makes the folder of a file to be written at the end.

    Raises:
        UserError: it cannot be made, or nothing can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        reason = None if os.access(path.parent, os.W_OK | os.X_OK) else "no permission"
    except OSError as error:
        reason = error.strerror
    if reason is not None:
        raise UserError(f"--{option} {path} cannot be written ({reason}): name another file.")


def _refuse(sides: Sides, options: tuple[str, ...], why: str) -> None:
    untouched = {"weights": "ema", "truncation": 1, "checkpoint": "last", "root": DATASETS}
    for option in options:
        if getattr(sides, option) != untouched.get(option, "train"):
            raise UserError(f"--{option} {why}: leave the option out.")
