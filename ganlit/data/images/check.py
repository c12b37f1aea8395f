"""What a source holds and what is wrong with it, without training: `python -m ganlit data check SOURCE`."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median_low
from typing import Any, Literal, NamedTuple

import yaml
from rich.console import Console
from rich.progress import track

from ganlit.data.images.catalogue import open_source
from ganlit.data.images.depth import WHITE, Depth
from ganlit.data.images.fitting import Fit, Form, Kind, Objection, objection
from ganlit.data.images.source import BadLabels, BadPicture, Labels, Source
from ganlit.errors import UserError

SPELLED_OUT = 3  # problems of one topic
COUNTED = 12  # classes, sizes and kinds, each by name
LABELS = "labels"


class Seen(NamedTuple):
    """What there is to know of a picture that can be read."""

    title: str
    size: tuple[int, int]  # width, height
    kind: Kind
    label: int | None
    depth: Depth | None = None

    def against(self, form: Form) -> Objection | None:
        return objection(self.size, self.kind, form, self.depth)


class Problem(NamedTuple):
    topic: str
    sentence: str
    spare: bool = True  # whether to leave the picture out is advice


def check(
    source: str,
    split: str,
    root: Path,
    batch: int,
    resolution: int | None = None,
    channels: Literal[1, 3] | None = None,
    fit: Fit = "exact",
    convert: bool = False,
    labels: Labels = True,
) -> None:
    """Reads every picture of a source, then prints what it holds, what would stop a training, and what would work.

    The arguments are those of `ImageModality.check`.

    Raises:
        SystemExit: with status 1, where anything would stop a training.
    """
    console = Console(soft_wrap=True, highlight=False, markup=False)
    try:
        opened, seen, problems = looked_through(source, split, Path(root), labels)
    except UserError as error:
        console.print(str(error))
        raise SystemExit(1) from None
    for line in contents(opened, seen):
        console.print(line)
    working = {}
    if seen:
        form = Form(resolution or _commonest_side(seen), channels or _commonest_channels(seen), fit, convert)
        working = working_options(seen, problems, resolution, channels, batch)
        problems = problems + misfits(seen, form)
    mended = all(problem.spare for problem in problems if problem.topic != LABELS)
    if len(seen) < batch:
        advice = f"set batch to {len(seen)} or less" if seen else "add some"
        problems.append(Problem("too few", f"{len(seen)} usable pictures are fewer than a batch of {batch}: {advice}."))
    for line in grouped(problems):
        console.print(line)
    if working:
        given = {"split": split} if split != "train" else {}
        given |= {"labels": opened.labels} if opened.labels is not True else {}
        console.print(f"What works{'' if mended else ' once the rest is mended'}, as init_args of the data:")
        for key, value in {"source": source, **given, **working}.items():
            console.print("  " + yaml.safe_dump({key: value}, width=math.inf).strip())
    if problems:
        raise SystemExit(1)


def looked_through(source: str, split: str, root: Path, labels: Labels) -> tuple[Source, list[Seen], list[Problem]]:
    """A source, its pictures that can be read, and what is wrong with the others and with the labels."""
    opened = open_source(source, split, root, labels)
    try:
        return opened, *survey(opened)
    except BadLabels as bad:
        without = open_source(source, split, root, bad.instead)
        seen, problems = survey(without)
        return without, seen, [Problem(LABELS, str(bad), spare=False), *problems]


def survey(source: Source) -> tuple[list[Seen], list[Problem]]:
    """Every picture that can be read, and what is wrong with the others."""

    def attempt(index: int) -> Seen | Problem:
        try:
            picture, label = source.picture(index)
        except BadPicture as bad:
            return Problem(bad.topic, str(bad), bad.spare)
        return Seen(source.title(index), picture.image.size, picture.kind, label, picture.depth)

    count, console = len(source), Console(stderr=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(attempt, range(count))
        shown = {"console": console, "transient": True, "disable": not console.is_terminal}
        looked = list(track(results, f"Reading {source.name}", count, **shown))
    return [x for x in looked if isinstance(x, Seen)], [x for x in looked if isinstance(x, Problem)]


def misfits(seen: Sequence[Seen], form: Form) -> list[Problem]:
    """Why pictures that can be read do not have a form."""
    against = [(picture.title, picture.against(form)) for picture in seen]
    return [Problem(why.topic, f"{title} {why.reason}: {why.remedy}.", why.spare) for title, why in against if why]


def contents(source: Source, seen: Sequence[Seen]) -> list[str]:
    """The lines of the report that say what a source holds."""
    labels = Counter(picture.label for picture in seen)
    labels.pop(None, None)
    sizes = [picture.size for picture in seen]
    names = source.classes or range(max(labels, default=-1) + 1)
    return [
        f"{source.name}: {len(source)} pictures, {len(seen)} of them readable",
        "  classes  " + (_counts((name, labels[label]) for label, name in enumerate(names)) or "none"),
        "  sizes    " + _counts(Counter(f"{width}x{height}" for width, height in sizes).items()),
        "  kinds    " + _counts(Counter(picture.kind for picture in seen).items()),
        *_values([picture.depth for picture in seen if picture.depth is not None]),
    ]


def grouped(problems: Sequence[Problem]) -> list[str]:
    """The lines of the report that say what is wrong."""
    if not problems:
        return ["Nothing would stop a training."]
    lines = [f"{len(problems)} problem{'s' if len(problems) > 1 else ''} would stop a training:"]
    for topic, number in Counter(problem.topic for problem in problems).most_common():
        lines.append(f"  {topic}: {number}")
        sentences = [problem.sentence for problem in problems if problem.topic == topic]
        lines += [f"    {sentence}" for sentence in sentences[:SPELLED_OUT]]
        lines += ["    ..."] * (number > SPELLED_OUT)
    return lines


def working_options(
    seen: Sequence[Seen], problems: Sequence[Problem], resolution: int | None, channels: int | None, batch: int
) -> dict[str, Any]:
    """The options of `Images` with which a training can start, if any; None stands for a free choice."""
    channels = channels or (1 if all(picture.kind == "grey" for picture in seen) else 3)
    resolution, fit = _working_fit([picture.size for picture in seen], resolution)
    form = Form(resolution, channels, fit, convert=True)
    usable = [picture for picture in seen if picture.against(form) is None]
    if not usable:
        return {}
    convert = any(picture.kind != form.kind for picture in usable)
    skip_bad = any(problem.spare for problem in [*problems, *misfits(seen, form)])
    choices = {"fit": fit, "convert": convert, "skip_bad": skip_bad, "batch": min(batch, len(usable))}
    defaults = {"fit": "exact", "convert": False, "skip_bad": False, "batch": batch}
    needed = {key: value for key, value in choices.items() if value != defaults[key]}
    return {"resolution": resolution, "channels": channels, **needed}


def _working_fit(sizes: Sequence[tuple[int, int]], resolution: int | None) -> tuple[int, Fit]:
    """A resolution, unless it is given, that is a power of two as most networks take it, and the option that fits."""
    if any(width != height for width, height in sizes):
        return resolution or _power_below(median_low(min(size) for size in sizes)), "crop"
    sides = {side for side, _ in sizes}
    side = median_low(side for side, _ in sizes)
    if len(sides) == 1:
        below, above = _power_below(side), 2 * _power_below(side)
        resolution = resolution or (above if below < side and above - side <= above // 8 else below)
        if resolution == side:
            return resolution, "exact"
        if side < resolution <= side + resolution // 8:
            return resolution, "pad"
    return resolution or _power_below(side), "resize"


def _power_below(side: int) -> int:
    return 1 << (side.bit_length() - 1)


def _commonest_side(seen: Sequence[Seen]) -> int:
    return Counter(max(picture.size) for picture in seen).most_common(1)[0][0]


def _commonest_channels(seen: Sequence[Seen]) -> int:
    return 1 if Counter(picture.kind for picture in seen).most_common(1)[0][0] == "grey" else 3


def _values(depths: Sequence[Depth]) -> list[str]:
    """A line on pictures of 16 bits, if there are any."""
    if not depths:
        return []
    kept = ", of which convert: true keeps the upper 8 bits" if all(each.fits for each in depths) else ""
    lowest, highest = min(each.lowest for each in depths), max(each.highest for each in depths)
    return [f"  values   {lowest} to {highest}, of {WHITE} in 16 bits{kept}"]


def _counts(counts: Iterable[tuple[Any, int]]) -> str:
    ordered = sorted(counts, key=lambda count: -count[1])
    shown, more = ordered[:COUNTED], len(ordered[COUNTED:])
    return " · ".join(f"{name} {number}" for name, number in shown) + (f" · {more} more" if more else "")
