"""The trials of a sweep, resolved and written down before anything starts, so that no two processes disagree."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import islice, product
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from rich.progress import track

from ganlit.compute.console import say
from ganlit.compute.sparing import Later
from ganlit.errors import UserError
from ganlit.records.durable import replacing
from ganlit.records.moved import current
from ganlit.records.resume import differences
from ganlit.records.settings import configuration, plain
from ganlit.studies.sweeps.definition import Sweep
from ganlit.studies.sweeps.sources import changed, named

np = Later("numpy")

Values = dict[str, Any]
"""What a trial sets, by key."""

FILES = "# files "
"""What the third line of a frozen trial begins with."""

TRIES = 1000  # draws before a random sweep is found to have no other trial

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Trial(NamedTuple):
    """A frozen trial.

    Args:
        values: of the parameters.
        base: the arguments that all trials had when it was frozen.
        config: the resolved configuration, as YAML.
        damage: what is wrong with its file, of which nothing is then believed.
        files: that it was resolved from, each with a hash of what it said; none where an older ganlit has frozen it.
    """

    values: Values
    base: list[str]
    config: str
    damage: str | None = None
    files: Mapping[str, str] = {}

    @property
    def text(self) -> str:
        head = f"# {json.dumps(self.values)}\n# fit {shlex.join(self.base)}\n"
        return f"{head}{FILES}{json.dumps(self.files)}\n{self.config}"

    @property
    def nameless(self) -> str:
        """What it shares with no other trial, its name aside."""
        return "\n".join(line for line in self.config.splitlines() if not line.startswith("name:"))

    @property
    def settings(self) -> dict[str, Any]:
        return yaml.load(self.config, LOADER)

    @property
    def length(self) -> float:
        """In kimg."""
        return float(self.settings["kimg"]) if self.damage is None else 0.0


def expand(sweep: Sweep) -> list[Values]:
    """What each trial of a grid or random sweep sets; the same whenever and wherever it is asked.

    Raises:
        UserError: there are fewer different trials than `run_cap`.
    """
    if sweep.method == "grid":
        keys = [parameter.key for parameter in sweep.parameters]
        every = product(*(parameter.values for parameter in sweep.parameters))
        return [dict(zip(keys, values, strict=True)) for values in islice(every, sweep.cap)]
    return [*islice(_drawn(sweep), sweep.cap)]


def _drawn(sweep: Sweep) -> Iterator[Values]:
    random = np.random.default_rng(sweep.digest)
    met: set[str] = set()
    while True:
        for _ in range(TRIES):
            values = {parameter.key: parameter.draw(random) for parameter in sweep.parameters}
            if json.dumps(values) not in met:
                break
        else:
            raise UserError(
                f"{sweep.folder}: run_cap is {sweep.cap}, but the parameters have only {len(met)} different settings: "
                "lower it, or take method grid."
            )
        met.add(json.dumps(values))
        yield values


def resolved(sweep: Sweep, number: int, values: Values) -> Trial:
    """A trial with its whole configuration.

    Raises:
        UserError: a key is unknown or a value does not fit.
    """
    from ganlit.configuration.resolve import resolve  # and all that a training needs, which nothing else here does

    args = [f"--wandb.group={sweep.name}", *sweep.base]  # the group comes first: a base without W&B stays so
    if sweep.early is not None:
        args.append(f"--early_terminate={json.dumps(asdict(sweep.early))}")
    args += [f"--{key}={written(value)}" for key, value in values.items()]
    try:
        config = resolve([*args, f"--name={number:04}", f"--trainer.default_root_dir={sweep.runs}"])
    except UserError as error:
        raise UserError(f"{sweep.folder}: trial {number} ({told(values)}): {error}") from None
    return Trial(values, sweep.base, config, files=named(args))


def written(value: Any) -> str:
    """A value as the command line takes it."""
    return value if isinstance(value, str) else json.dumps(value)


def told(values: Values) -> str:
    """Values as one reads them: "lr=0.001, seed=3"."""
    names = short(list(values))
    return ", ".join(f"{names[key]}={brief(value)}" for key, value in values.items())


def brief(value: Any) -> str:
    """A value as one reads it, of a drawn number the first four digits."""
    return f"{value:.4g}" if isinstance(value, float) else written(value)


def short(keys: list[str]) -> dict[str, str]:
    """By key, its shortest end that no other key has: "weight", "generator_optimizer.lr"."""
    parts = {key: [part for part in key.split(".") if part != "init_args"] for key in keys}

    def ends(key: str, count: int) -> int:
        return sum(other[-count:] == parts[key][-count:] for other in parts.values())

    counts = {
        key: next((count for count in range(1, len(parts[key])) if ends(key, count) == 1), len(parts[key]))
        for key in keys
    }
    return {key: ".".join(parts[key][-counts[key] :]) for key in keys}


def frozen(sweep: Sweep) -> dict[int, Trial]:
    """The trials that are written down, by number; files of other names, such as copies, are none."""
    names = {path.name: path.stem for path in (sweep.folder / "trials").glob("*.yaml") if path.stem.isdecimal()}
    numbers = sorted(int(stem) for name, stem in names.items() if sweep.trial(int(stem)).name == name)
    return {number: _as_it_is(sweep.trial(number)) for number in numbers}


def _as_it_is(path: Path) -> Trial:
    try:
        return load(path)
    except UserError as error:
        return Trial({}, [], "", str(error))


def whole(trials: dict[int, Trial]) -> dict[int, Trial]:
    """Those whose files are not damaged."""
    return {number: trial for number, trial in trials.items() if trial.damage is None}


def load(path: Path) -> Trial:
    """A trial that was frozen in a file.

    Raises:
        UserError: it cannot be read, or was not written by a sweep.
    """
    configuration(path)
    try:
        values, base, rest = current(path.read_text()).split("\n", 2)
        files, config = rest.split("\n", 1) if rest.startswith(f"{FILES}{{") else (f"{FILES}{{}}", rest)
        found = Trial(
            json.loads(values.removeprefix("# ")),
            shlex.split(base.removeprefix("# fit ")),
            config,
            files={file: str(then) for file, then in json.loads(files.removeprefix(FILES)).items()},
        )
        if not (values.startswith("# {") and base.startswith("# fit")):
            raise ValueError("its first two lines do not say what it is a trial of")
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is no trial that `ganlit sweep` has frozen ({error}): move it away.") from None
    return found


def freeze(sweep: Sweep, dry_run: bool = False) -> dict[int, Trial]:
    """Writes down all trials that are not yet; those that are stay as they are, the damaged ones too.

    All are resolved before the first is written. A kill between two files leaves the first trials of the sweep, to
    which the next call adds the others.

    Args:
        sweep: the sweep.
        dry_run: write nothing.

    Raises:
        UserError: a trial cannot be, two are one, or others are written down than sweep.yaml and the files that it
            names now give.
    """
    before = frozen(sweep)
    sound = whole(before)
    if sweep.method == "bayes":  # each is chosen later, but what cannot be resolved shall be told now
        check_base(sweep, sound)
        check_early(sweep, sound)
        check_files(sweep, sound)
        check_runs(sweep, sound)
        if not before:
            resolved(sweep, 1, next(_drawn(sweep)))
    else:
        wanted = dict(enumerate(expand(sweep), 1))
        check_frozen(sweep, sound, wanted)
        check_distinct(sweep, wanted, {number: json.dumps(values) for number, values in wanted.items()})
        new = {number: values for number, values in wanted.items() if number not in before}
        steps = track(new.items(), "freezing trials", transient=True) if len(new) > 5 else new.items()
        added = {number: resolved(sweep, number, values) for number, values in steps}
        every = {**sound, **added}
        check_distinct(sweep, wanted, {number: trial.nameless for number, trial in every.items()})
        check_runs(sweep, every)
        for number, trial in added.items() if not dry_run else ():
            write(sweep.trial(number), trial)
        if added and not dry_run:
            say(f"frozen   {len(added)} of {len(wanted)} trials in {sweep.folder / 'trials'}")
        before |= added
    return before


def write(path: Path, trial: Trial) -> None:
    with replacing(path) as partial:
        partial.write_text(trial.text)


def check_frozen(sweep: Sweep, before: dict[int, Trial], wanted: dict[int, Values]) -> None:
    """Refuses a sweep that has become another one since its trials were frozen."""
    check_base(sweep, before)
    check_early(sweep, before)
    check_files(sweep, before)
    anew = remedy(sweep)
    for number, trial in before.items():
        if number not in wanted:
            raise UserError(f"{sweep.folder} now has {len(wanted)} trials, but {len(before)} are frozen: {anew}.")
        if json.dumps(trial.values) != current(json.dumps(wanted[number])):
            raise UserError(
                f"{sweep.trial(number)} is frozen with {told(trial.values)}, but sweep.yaml now gives "
                f"{told(wanted[number])}: {anew}; new trials can only be added at the end."
            )


def check_early(sweep: Sweep, before: dict[int, Trial]) -> None:
    """Refuses to judge trials by another rule than they were frozen with."""
    wanted = None if sweep.early is None else asdict(sweep.early)
    for number, trial in before.items():
        if trial.settings.get("early_terminate") != wanted:
            raise UserError(
                f"{sweep.trial(number)} is frozen with another early_terminate or metric than sweep.yaml now has: "
                f"{remedy(sweep)}."
            )


def check_base(sweep: Sweep, before: dict[int, Trial]) -> None:
    """Refuses to freeze trials that are based on other arguments than the others."""
    for number, trial in before.items():
        if trial.base != shlex.split(current(shlex.join(sweep.base))):
            raise UserError(
                f"{sweep.trial(number)} is frozen from `fit {shlex.join(trial.base)}`, but sweep.yaml now says "
                f"`fit {shlex.join(sweep.base)}`: take that back, or ask in a new folder."
            )


def check_files(sweep: Sweep, before: dict[int, Trial]) -> None:
    """Refuses to go on with trials that were resolved from files which say something else by now."""
    others = changed(item for trial in before.values() for item in trial.files.items())
    for number, trial in before.items():
        if own := sorted(file for file, _ in others & {*trial.files.items()}):
            raise UserError(f"{' and '.join(own)} changed after {sweep.trial(number)} was frozen: {remedy(sweep)}.")


def remedy(sweep: Sweep) -> str:
    """What helps where a sweep has become another one."""
    return f"take that back, ask in a new folder, or remove {sweep.folder / 'trials'} and {sweep.runs} to begin anew"


def check_distinct(sweep: Sweep, wanted: dict[int, Values], texts: dict[int, str]) -> None:
    """Refuses to run one configuration twice, by what makes a trial another one."""
    met: dict[str, int] = {}
    for number, text in texts.items():
        if (other := met.setdefault(text, number)) != number:
            raise UserError(
                f"{sweep.folder}: trials {other} ({told(wanted[other])}) and {number} ({told(wanted[number])}) "
                "have the same configuration: list each value once."
            )


def check_runs(sweep: Sweep, trials: dict[int, Trial]) -> None:
    """Refuses run directories that hold what other settings have made."""
    for number, trial in trials.items():
        path = sweep.run(number) / "config.yaml"
        try:
            changed = differences(configuration(path), plain(trial.settings))
        except UserError:  # the run itself will tell, if there is one
            continue
        if changed:
            raise UserError(
                f"{sweep.run(number)} holds the run of another sweep ({'; '.join(changed.values())}): move "
                f"{sweep.runs} away, or give the folder of this sweep another name."
            )
