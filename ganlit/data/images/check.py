"""What a source holds and what is wrong with it, without training: `python -m ganlit data check SOURCE`."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from rich.console import Console
from rich.progress import track

from ganlit.data.images.advice import Seen, completed, images_of, working_form, working_options
from ganlit.data.images.catalogue import open_source
from ganlit.data.images.depth import WHITE, Bits, Depth
from ganlit.data.images.form import Form
from ganlit.data.images.source import Source
from ganlit.data.problems import Problem, counts, grouped
from ganlit.data.source import BadItem, BadLabels, Labels
from ganlit.errors import UserError

LABELS = "labels"


def check(source: str, split: str, root: Path, batch: int, asked: Form, labels: Labels = True) -> None:
    """Reads every picture of a source, then prints what it holds, what would stop a training, and what would work.

    Args:
        source: as for `ImageModality.check`, and so are the next three.
        split: "train", or what else there is.
        root: where torchvision's datasets lie or are downloaded to.
        batch: images in a step.
        asked: what a training would ask for; a resolution of 0, and channels of 0, are those of most pictures.
        labels: whether they are wanted, as they are or numbered anew.

    Raises:
        SystemExit: with status 1, where anything would stop a training.
    """
    console = Console(soft_wrap=True, highlight=False, markup=False)
    try:
        opened, seen, problems = looked_through(source, split, Path(root), labels, asked)
    except UserError as error:
        console.print(str(error))
        raise SystemExit(1) from None
    for line in contents(opened, seen, asked.depth):
        console.print(line)
    working, images, left = {}, 0, problems
    if seen:
        form, works = completed(asked, seen), working_form(seen, asked)
        images, problems = images_of(seen, form), problems + misfits(seen, form)
        if works is not None:
            left = left + misfits(seen, works)
            working = working_options(seen, works, batch, skip_bad=any(problem.spare for problem in left))
        if form.fit == "tiles":
            console.print(f"  tiles    {images:,} of {form.resolution}x{form.resolution}")
    mended = all(problem.spare for problem in left if problem.topic != LABELS)
    if images < batch:
        what, advice = "tiles" if asked.fit == "tiles" else "pictures", "add some"
        advice = f"set batch to {images} or less" if images else advice
        problems.append(Problem("too few", f"{images} usable {what} are fewer than a batch of {batch}: {advice}."))
    for line in grouped(problems):
        console.print(line)
    if working:
        given = {"split": split} if split != "train" else {}
        given |= {"labels": opened.labels} if opened.labels is not True else {}
        console.print(f"What works{'' if mended else ' once the rest is mended'}, as init_args of the data:")
        for key, value in {"source": source, **given, **working}.items():
            flow = None if isinstance(value, list) else False
            console.print("  " + yaml.safe_dump({key: value}, width=math.inf, default_flow_style=flow).strip())
    if problems:
        raise SystemExit(1)


def looked_through(
    source: str, split: str, root: Path, labels: Labels, asked: Form
) -> tuple[Source, list[Seen], list[Problem]]:
    """A source, its pictures that can be read, and what is wrong with the others and with the labels."""
    opened = open_source(source, split, root, labels)
    try:
        return opened, *survey(opened, asked)
    except BadLabels as bad:
        without = open_source(source, split, root, bad.instead)
        seen, problems = survey(without, asked)
        return without, seen, [Problem(LABELS, str(bad), spare=False), *problems]


def survey(source: Source, asked: Form) -> tuple[list[Seen], list[Problem]]:
    """Every picture that can be read, and what is wrong with the others."""
    form = asked if asked.channels else asked._replace(channels=3)

    def attempt(index: int) -> Seen | Problem:
        try:
            picture, label = source.picture(index, form)
        except BadItem as bad:
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


def contents(source: Source, seen: Sequence[Seen], depth: Bits = 8) -> list[str]:
    """The lines of the report that say what a source holds."""
    labels = Counter(picture.label for picture in seen)
    labels.pop(None, None)
    sizes = [picture.size for picture in seen]
    names = source.classes or range(max(labels, default=-1) + 1)
    return [
        f"{source.name}: {len(source)} pictures, {len(seen)} of them readable",
        "  classes  " + (counts((name, labels[label]) for label, name in enumerate(names)) or "none"),
        "  sizes    " + counts(Counter(f"{width}x{height}" for width, height in sizes).items()),
        "  kinds    " + counts(Counter(str(picture.kind) for picture in seen).items()),
        *_values(seen, depth),
    ]


def _values(seen: Sequence[Seen], depth: Bits) -> list[str]:
    """Lines on pictures of 16 bits and of floats, if there are any."""
    lines = []
    deep, floats = ([each.depth for each in seen if each.depth and each.kind.bits == bits] for bits in (16, "float"))
    if deep:
        fit = depth == 8 and all(each.fits for each in deep)
        kept = ", of which convert: true keeps the upper 8 bits, and depth: 16 all" if fit else ""
        lines.append(f"  values   {_span(deep)}, of {WHITE} in 16 bits{kept}")
    if floats:
        lines.append(f"  values   {_span(floats)} in floats")
    return lines


def _span(depths: Sequence[Depth]) -> str:
    lowest, highest = min(each.lowest for each in depths), max(each.highest for each in depths)
    return f"{lowest:.10g} to {highest:.10g}"
