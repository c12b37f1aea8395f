"""The command that lays runs out on the plane of quality and variety, at several temperatures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganlit.compute.console import clock, say
from ganlit.errors import UserError, printable, within
from ganlit.records.durable import replacing
from ganlit.records.media import PICTURE, drawn
from ganlit.studies.evaluation.bars import device_of
from ganlit.studies.evaluation.options import HOTTEST, MOST
from ganlit.studies.evaluation.outputs import empty, make_room, writing
from ganlit.studies.evaluation.trained import Checkpoint
from ganlit.studies.report.escaping import markdown
from ganlit.studies.report.numbers import mean
from ganlit.studies.report.record import Run, gather
from ganlit.studies.report.settings import Parameter, Setting, group, shown
from ganlit.studies.report.summary import FIXED
from ganlit.studies.report.tables import spreadsheet_row
from ganlit.studies.tradeoff.measuring import Asked, How, Numbers, of_real, swept
from ganlit.studies.tradeoff.picture import picture, table
from ganlit.studies.tradeoff.verdict import Arm, verdicts

MANY = 8  # arms that a picture can show
LONGEST = 60  # letters of what one of them is called


class Swept(NamedTuple):
    """One run at every temperature."""

    run: Run
    numbers: list[tuple[float, Numbers]]

    @property
    def temperatures(self) -> list[float]:
        return [temperature for temperature, _ in self.numbers]

    def row(self, metric: str) -> list[float]:
        return [numbers[metric] for _, numbers in self.numbers]


def tradeoff(
    runs: Path,
    out: Path | None = None,
    metrics: str = "bleu3,selfbleu3",
    temperatures: str = "0.6,0.8,1.0,1.2",
    count: int | None = None,
    checkpoint: Checkpoint = "last",
    device: str = "auto",
) -> None:
    """Lay runs of texts out on the plane of quality and variety: a picture, a table, and a sentence of who won where.

    A temperature below 1 buys quality with variety, so that two runs can be compared only along all of it (Caccia et
    al., arXiv 1811.02549). Runs that differ only in their seed are one line; what they cost stands beside it.

    Args:
        runs: a folder of run directories, such as runs, or a sweep's; what has failed or is not trained is left out.
        out: a new folder for tradeoff.png, tradeoff.md and tradeoff.csv; by default tradeoff in that folder.
        metrics: as for `evaluate`, quality first and variety second; what else is named stands in the tables.
        temperatures: with commas between them; a generator that knows none is measured as it is.
        count: texts of each run at each temperature; by default as many as its own tests.
        checkpoint: of a run, the last, or the best.
        device: cpu, cuda, cuda:1, ...; auto takes a GPU where there is one.

    Raises:
        UserError: there are no such runs, or these cannot be measured so, or the folder is not new.
    """
    degrees = degrees_of(temperatures)
    within("--count", count, optional=True, least=2, most=MOST)
    out = runs / "tradeoff" if out is None else out
    empty(out, "--out")
    settings, labels = kept(runs)
    first = str(settings[0].runs[0].folder)
    asked, how = Asked.of(metrics, first), How(count, checkpoint, device_of(device))
    quality, variety = (asked.axis(word) for word in [*asked.names][:2])
    make_room(out, out, "--out")
    found = [[measured(run, asked, degrees, how) for run in setting.runs] for setting in settings]
    arms = [arm(*pair, asked) for pair in zip(labels, found, strict=True)]
    costs = [cost(*pair) for pair in zip(labels, settings, strict=True)]
    sentences = verdicts(arms, quality, variety) or ["There is one setting: nobody to compare it with."]
    real = of_real(first, asked.groups, how)
    star = None if real is None else (real[asked.names[quality.title]], real[asked.names[variety.title]])
    note = f"{sum(map(len, found))} runs: mean over seeds ± standard deviation, temperatures at the points"
    contents = {
        f"tradeoff{PICTURE}": drawn(picture(arms, quality, variety, star, note), 130),
        "tradeoff.md": document(runs, arms, found, asked, real, [*costs, *sentences]).encode(),
        "tradeoff.csv": spreadsheet(labels, found, asked).encode(),
    }
    for name, content in contents.items():
        with writing("--out", out / name), replacing(out / name, flush=False) as partial:
            partial.write_bytes(content)
    for line in (*costs, *sentences, f"written  {', '.join(str(out / name) for name in contents)}"):
        say(line)


def degrees_of(temperatures: str) -> list[float]:
    """The temperatures that are typed, in order.

    Raises:
        UserError: one is none.
    """
    words = [word.strip() for word in temperatures.split(",") if word.strip()]
    try:
        found = sorted({float(word) for word in words})
    except ValueError:
        found = []
    if not found:
        raise UserError(f"--temperatures {temperatures} are no numbers: write some, such as 0.6,0.8,1.0.")
    for each in found:
        within("--temperatures", each, least=0, most=HOTTEST)
    return found


def kept(folder: Path) -> tuple[list[Setting], list[str]]:
    """The settings of the runs that can be measured, and what each is called.

    Raises:
        UserError: there are none, or more than a picture can show.
    """
    there = gather(folder)
    usable = [run for run in there if run.counts and run.kept]
    if left := len(there) - len(usable):
        say(f"{left} of {len(there)} runs have failed or hold no checkpoint: left out")
    if not usable:
        raise UserError(f"{folder} holds no trained runs: train some, or name another folder.")
    parameters, settings = group(usable, FIXED)
    if len(settings) > MANY:
        varied = ", ".join(parameter.title for parameter in parameters)
        raise UserError(
            f"{folder} has {len(settings)} settings ({varied}), and a plane shows {MANY}: name a part of them."
        )
    return settings, names_of(settings, parameters, folder)


def names_of(settings: Sequence[Setting], parameters: Sequence[Parameter], folder: Path) -> list[str]:
    """What each setting is called: by what differs, or where that is much, by what the names of its runs begin with."""
    pairs = [zip(parameters, setting.values, strict=True) for setting in settings]
    found = [", ".join(f"{parameter.title} {shown(value)}" for parameter, value in each) for each in pairs]
    if max(map(len, found)) <= LONGEST:
        return [name or printable(folder.resolve().name) for name in found]
    stems = [begins_alike([run.folder.name for run in each.runs]) for each in settings]
    apart = all(stems) and len({*stems}) == len(stems)
    return [printable(stem) for stem in stems] if apart else [f"setting {place}" for place in range(1, len(found) + 1)]


def begins_alike(names: Sequence[str]) -> str:
    """What all names begin with, without a number at its end."""
    columns = takewhile(lambda letters: len({*letters}) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in columns).rstrip("-_.0123456789")


def measured(run: Run, asked: Asked, degrees: Sequence[float], how: How) -> Swept:
    """A run at every temperature, told when it is done."""
    found = Swept(run, [*swept(str(run.folder), asked.groups, degrees, how)])
    say(f"measured {run.folder}, seed {run.seed}: {', '.join(f'{each:g}' for each in found.temperatures)}")
    return found


def arm(name: str, found: Sequence[Swept], asked: Asked) -> Arm:
    """The runs of one setting."""
    quality, variety, *_ = asked.names.values()
    rows = [np.array([each.row(metric) for each in found]) for metric in (quality, variety)]
    return Arm(name, found[0].temperatures, *rows)


def cost(name: str, setting: Setting) -> str:
    """What the runs of a setting took: "lr 0.1: 300 kimg and 2:51 a run, 3 runs"."""
    states = [run.state for run in setting.runs if run.state]
    if not states:
        return f"{name}: nobody knows how long, {len(setting.runs)} runs"
    reached, seconds = mean([state.kimg for state in states]), mean([state.seconds for state in states])
    return f"{name}: {reached} kimg and {clock(seconds.value)} a run, {len(setting.runs)} runs"


def document(
    folder: Path,
    arms: Sequence[Arm],
    found: Sequence[Sequence[Swept]],
    asked: Asked,
    real: Numbers | None,
    lines: Sequence[str],
) -> str:
    """All of it in Markdown."""
    rows = [{word: [each.row(name) for each in some] for word, name in asked.names.items()} for some in found]
    star = None if real is None else {word: real[name] for word, name in asked.names.items()}
    body = [f"# {markdown(printable(folder.resolve().name))}", *map(markdown, lines), table(arms, rows, star)]
    return "\n\n".join([*body, f"![The plane](tradeoff{PICTURE})"]) + "\n"


def spreadsheet(labels: Sequence[str], found: Sequence[Sequence[Swept]], asked: Asked) -> str:
    """A row of every run at every temperature, in CSV."""
    lines = [spreadsheet_row(["setting", "run", "seed", "kimg", "seconds", "temperature", *asked.names])]
    for name, some in zip(labels, found, strict=True):
        for run, numbers in some:
            about = [run.state.kimg, round(run.state.seconds, 1)] if run.state else ["", ""]
            for temperature, values in numbers:
                cells = [name, str(run.folder), run.seed, *about, temperature]
                lines.append(spreadsheet_row([*cells, *(values[each] for each in asked.names.values())]))
    return "".join(lines)
