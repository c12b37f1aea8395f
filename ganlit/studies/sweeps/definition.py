"""The file of a sweep, sweep.yaml: W&B's own format, as far as one machine, SLURM and W&B can all do what it says."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import yaml

from ganlit.errors import UserError
from ganlit.metrics.pruning import EarlyTerminate
from ganlit.records import documents
from ganlit.records.durable import writing
from ganlit.studies.sweeps.early import early_termination
from ganlit.studies.sweeps.parameters import Parameter, nearest, parameter

FILE = "sweep.yaml"

MOST = 9_999
"""Trials of a sweep: they are called by four digits, and each is resolved, written and run."""

Method = Literal["grid", "random", "bayes"]

WANDBS = ("program", "name", "description", "project", "entity")  # which mean something to W&B alone
KNOWN = ["method", "parameters", "metric", "run_cap", "early_terminate", "command", *WANDBS]

SEARCHED = ("categorical", "uniform", "q_uniform", "int_uniform", "log_uniform_values", "inv_log_uniform_values")
SEARCHED += ("q_log_uniform_values",)

PLAIN = re.compile(r"(?!(null|[\d.]+e[+-]?\d+)$)\w[\w.,+@ -]*", re.IGNORECASE)
"""Names of folders that a command line, YAML and SLURM take for the text that they are."""

KEY = re.compile(r"[^\s=-][^\s=]*")
"""What stands between `--` and `=` on a command line."""

OWN = ("name", "trainer.default_root_dir")  # which the sweep gives to each trial

CONFIG = ("config", "c")  # options that name files

HELP = ("help", "h", "print_config")

EXAMPLE = "[${interpreter}, -m, ganlit, fit, --config, configs/x.yaml, ${args}]"


class Loader(yaml.SafeLoader):
    """Leaves a date the text that it is, as a command line would."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class Metric(NamedTuple):
    """What a search looks at.

    Args:
        name: of a column in metrics.csv, or the beginning of a protocol id: "fid", "fid2k", "fid2k/inception-...".
        goal: what is better.
    """

    name: str
    goal: Literal["minimize", "maximize"]

    def best(self, values: list[float]) -> float:
        return min(values) if self.goal == "minimize" else max(values)


@dataclass(frozen=True)
class Sweep:
    """A question asked of many runs.

    Args:
        folder: holds sweep.yaml, and trials/ with their frozen configurations.
        method: how the trials are chosen.
        parameters: in their order; overlay files come first.
        base: arguments of `fit` that all trials have.
        cap: how many trials there are; None for the whole grid.
        metric: None where nobody named one.
        early: when a trial is ended that is worse than others; None where each runs to its end.
    """

    folder: Path
    method: Method
    parameters: list[Parameter]
    base: list[str]
    cap: int | None = None
    metric: Metric | None = None
    early: EarlyTerminate | None = None

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def runs(self) -> Path:
        """Holds the run directories of the trials."""
        return Path("runs") / self.name

    @property
    def count(self) -> int:
        """How many trials there are, without making one."""
        if self.method != "grid":
            return self.cap or 0
        every = math.prod(len(one.values or ()) for one in self.parameters)
        return every if self.cap is None else min(every, self.cap)

    @property
    def digest(self) -> int:
        """A number that differs between sweeps; the count of trials may grow without changing it."""
        given = [[key, value] for key, value in sorted(vars(self).items()) if key in ("method", "parameters", "base")]
        return int.from_bytes(sha256(json.dumps(given, default=vars).encode()).digest()[:8])

    def trial(self, number: int) -> Path:
        """The frozen configuration of a trial."""
        return self.folder / "trials" / f"{number:04}.yaml"

    def run(self, number: int) -> Path:
        """The run directory of a trial."""
        return self.runs / f"{number:04}"

    def make_runs(self) -> None:
        """Makes the folder of the run directories.

        Raises:
            UserError: it cannot be made.
        """
        with writing(self.runs):
            self.runs.mkdir(parents=True, exist_ok=True)


def read(folder: Path) -> Sweep:
    """The sweep in a folder.

    Raises:
        UserError: there is none, or it says what ganlit cannot do.
    """
    path = folder / FILE
    given = _content(path)
    if not PLAIN.fullmatch(folder.resolve().name):
        raise UserError(f"{folder} has a name that YAML or SLURM misreads: call it like 0004-r1-gamma.")
    for key in given:
        if key not in KNOWN:
            raise UserError(f"{path} has an unknown key {key}{nearest(key, KNOWN)}.")
    method = given.get("method")
    if method not in get_args(Method):
        raise UserError(f"{path}: method is {json.dumps(method)}: give grid, random or bayes.")
    parameters = _parameters(given.get("parameters"), method, path)
    base, metric = _base(given, path), _metric(given, path)
    sweep = Sweep(
        folder,
        method,
        parameters,
        base,
        _cap(given, path),
        metric,
        early_termination(given.get("early_terminate"), metric, path),
    )
    if sweep.count > MOST:
        fewer = "list fewer values, or give run_cap to try the first only" if method == "grid" else "lower run_cap"
        raise UserError(f"{path} asks for {_told(sweep.count)} trials, and a sweep has {MOST:,} at most: {fewer}.")
    return sweep


def _content(path: Path) -> dict[str, Any]:
    try:
        path.lstat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path} cannot be read ({reason}): name the folder of a sweep.") from None
    content = documents.text(path)
    documents.mapping(content, path)
    try:
        given = yaml.load(content, Loader)
        json.dumps(given)
    except (ValueError, TypeError) as error:  # of what JSON and a command line cannot say
        raise UserError(f"{path} is no plain YAML ({' '.join(str(error).split())}): mend it.") from None
    return given


def _told(count: int) -> str:
    """A number as one reads it."""
    return f"{count:,}" if count < 1e15 else f"about 10^{math.log10(count):.0f}"


def _parameters(given: Any, method: str, path: Path) -> list[Parameter]:
    if not isinstance(given, dict) or not given:
        raise UserError(
            f"{path} has no parameters: list what differs between trials, such as `seed: {{values: [0, 1]}}`."
        )
    parameters = [parameter(str(key), entry, str(path)) for key, entry in given.items()]
    for one in parameters:
        if not KEY.fullmatch(one.key):
            raise UserError(f"{path}: parameters.{one.key} is no key of a configuration: write it as behind --.")
        refuse_own(one.key, f"{path}: parameters.{one.key}")
        if method == "grid" and one.values is None:
            raise UserError(
                f"{path}: parameters.{one.key} is no list, which a grid needs: give values, or method random."
            )
        if method == "bayes" and (one.distribution not in SEARCHED or one.probabilities):
            raise UserError(
                f"{path}: parameters.{one.key} has {'probabilities' if one.probabilities else one.distribution}, by "
                f"which a search cannot choose: give values, or one of {', '.join(SEARCHED[1:])}."
            )
    return sorted(parameters, key=lambda one: one.key != "config")


def _base(given: Mapping[str, Any], path: Path) -> list[str]:
    command = given.get("command")
    if not isinstance(command, list):
        raise UserError(f"{path} has no command, which says what trials are based on: give command: {EXAMPLE}.")
    for word in command:
        if isinstance(word, list | dict | None):
            raise UserError(f"{path}: command holds {json.dumps(word)}, which is no word: write it like {EXAMPLE}.")
    words = [str(word) for word in command]
    for word in ("fit", "${args}"):
        if word not in words:
            raise UserError(f"{path}: {word} is missing in command: write it like {EXAMPLE}.")
    begin, end = words.index("fit"), words.index("${args}")
    if words[end + 1 :] or end < begin:
        raise UserError(f"{path}: in command ${{args}} must come last, after fit: write it like {EXAMPLE}.")
    base = words[begin + 1 : end]
    for key, value in options(base):
        refuse_own(key, f"{path}: --{key} in command")
        if key in CONFIG and not os.path.isfile(value):
            raise UserError(f"{value}, which {path} names, is not here: call this in the folder of the project.")
    return base


def options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Key and value of each option of a command line, given as `--key value` or `--key=value`."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word.startswith("-"):
            key, equals, value = word.lstrip("-").partition("=")
            yield key, value if equals else after


def refuse_own(key: str, where: str) -> None:
    """Refuses a key that no sweep may set."""
    if key == "ckpt_path":
        raise UserError(f"{where} has no place in a sweep, since a trial starts anew: leave it out.")
    if key.split(".")[-1] in HELP:
        raise UserError(f"{where} asks for words and for no run: leave it out.")
    if key.split(".")[0] in ("resume", "early_terminate") or key in OWN:
        raise UserError(f"{where} is given to each trial by the sweep itself: leave it out.")


def _cap(given: Mapping[str, Any], path: Path) -> int | None:
    cap = given.get("run_cap")
    if cap is None and given["method"] == "grid":
        return None
    if isinstance(cap, bool) or not isinstance(cap, int) or cap < 1:
        raise UserError(f"{path}: run_cap is {json.dumps(cap)}: give the number of trials.")
    return cap


def _metric(given: Mapping[str, Any], path: Path) -> Metric | None:
    metric = given.get("metric")
    if metric is None:
        if given["method"] == "bayes":
            raise UserError(f"{path} has no metric to search by: give metric: {{name: fid2k, goal: minimize}}.")
        return None
    if not isinstance(metric, dict) or not isinstance(metric.get("name"), str) or not metric["name"].strip():
        raise UserError(f"{path}: metric has no name: give metric: {{name: fid2k, goal: minimize}}.")
    for key in metric:
        if key not in ("name", "goal"):
            raise UserError(f"{path}: metric has an unknown key {key}{nearest(key, ['name', 'goal'])}.")
    goal = metric.get("goal", "minimize")
    if goal not in ("minimize", "maximize"):
        raise UserError(f"{path}: metric.goal is {json.dumps(goal)}: give minimize or maximize.")
    return Metric(metric["name"], goal)
