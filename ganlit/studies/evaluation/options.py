"""What the options of `evaluate` must be, and which of them fit together: told before any work is done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ganlit.contracts import Modality
from ganlit.errors import UserError, within
from ganlit.metrics.groups import Group, grouped
from ganlit.studies.evaluation.subject import is_run
from ganlit.studies.evaluation.trained import Weights

DATASETS = Path("datasets")
MOST = 10**7  # items: of more, neither a folder nor the memory is made
FARTHEST = 10.0  # psi; far beyond the 1 of training, numbers overflow
HOTTEST = 100.0  # temperature; there, all symbols are nearly alike
SEEDS = 2**32  # as for `fit`
RESAMPLES = 10**5


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
    levels: int | None = None
    temperature: float = 1.0


def sorted_out(metrics: str, with_neighbours: bool, modality: Modality | None = None) -> list[Group]:
    """The metrics by what they share, of a modality or of any."""
    groups = grouped([word.strip() for word in metrics.split(",") if word.strip()], "--metrics", modality)
    if with_neighbours and not any("memorisation" in group.metrics for group in groups):
        raise UserError("--neighbours shows what memorisation measures: add it to --metrics.")
    return groups


def refuse_unanswerable(groups: Sequence[Group], subject: str, against: str | None, temperature: float = 1.0) -> None:
    """Refuses metrics that these sides have no answer to, whatever is in them."""
    for group in groups:
        metric = group.name(group.metrics[0])
        if group.kind == "nll" and temperature != 1:
            raise UserError(
                f"{metric} asks the generator as it was trained, and --temperature is about what it writes: leave one "
                "of them out."
            )
        if (group.making or group.kind in ("codes", "bounds", "nll", "paths")) and not is_run(subject):
            raise UserError(f"--metrics asks for {metric} of a run's generator, and {subject} is none: leave it out.")
        if group.kind == "pairs" and is_run(subject) and not same(subject, against):
            raise UserError(
                f"{metric} compares what {subject} makes with its own targets, not with {against}: give two folders, "
                "or the run alone."
            )
        if group.side == "source" and not same(subject, against):
            raise UserError(
                f"{metric} holds what {subject} makes on its way back against its own sources, not against {against}: "
                "leave --against out."
            )
        if group.kind == "pairs" and not is_run(subject) and is_run(against or subject):
            raise UserError(f"{metric} pairs items by their paths, and {against} is a run: give two folders.")


def same(subject: str, against: str | None) -> bool:
    """Whether a side is measured against itself: a run against its own data."""
    return against is None or Path(against).resolve() == Path(subject).resolve()


def refuse_numbers(
    count: int | None,
    truncation: float,
    seed: int | None,
    bootstrap: int = 0,
    draws: int | None = None,
    temperature: float = 1.0,
) -> None:
    """Refuses numbers that mean nothing."""
    within("--count", count, least=1, most=MOST, optional=True)
    within("--truncation", truncation, least=0, most=FARTHEST, optional=True)
    within("--temperature", temperature, least=0, most=HOTTEST)
    within("--seed", seed, least=0, below=SEEDS, optional=True)
    within("--bootstrap", bootstrap, least=0, most=RESAMPLES, optional=True)
    within("--draws", draws, least=1, most=MOST, optional=True)
    if bootstrap == 1:
        raise UserError("--bootstrap is 1: it must be 0 for none, or 2 at least.")


SPAN = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")


def numbers(words: str, option: str) -> list[range]:
    """What is meant by "7", "1,2,3" or "0-15", the end included.

    Raises:
        UserError: nothing can be meant.
    """
    spans = []
    for word in filter(None, re.split(r"[,\s]+", words.strip(" []()"))):
        match = SPAN.fullmatch(word)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
        if last < first:
            raise UserError(
                f"{option} {words}: {word} is no number from 0 on, nor two that ascend, as in 7, 1,2,3 or 0-15."
            )
        spans.append(range(first, last + 1))
    if not spans:
        raise UserError(f"{option} names nothing: give some as in 7, 1,2,3 or 0-15, or leave it out.")
    return spans


def refuse_idle_options(sides: Sides) -> None:
    """Refuses options that nothing would listen to."""
    subject, against = sides.subject, sides.against
    if not is_run(subject):
        those = ("weights", "truncation", "temperature", "checkpoint", "levels")
        _refuse(sides, those, f"is about a run, and {subject} is none")
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


def _refuse(sides: Sides, options: tuple[str, ...], why: str) -> None:
    usual = {"weights": "ema", "truncation": 1, "temperature": 1, "checkpoint": "last", "root": DATASETS}
    usual |= {"levels": None}
    for option in options:
        if getattr(sides, option) != usual.get(option, "train"):
            raise UserError(f"--{option} {why}: leave the option out.")
