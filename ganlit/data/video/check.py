"""What a source holds and what is wrong with it, without training: `python -m ganlit data check SOURCE`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import yaml
from rich.console import Console
from rich.table import Table

from ganlit.compute.console import clock, print_table
from ganlit.data.ahead import ahead
from ganlit.data.problems import COUNTED, Problem, counts, grouped
from ganlit.data.source import BadItem, BadLabels, Labels
from ganlit.data.video.advice import completed, frames_for, items_of, options, piece_for, usable, working
from ganlit.data.video.catalogue import open_source
from ganlit.data.video.facts import Facts
from ganlit.data.video.form import Form, reach
from ganlit.data.video.source import Source, suffix_of
from ganlit.data.video.tree import Folder
from ganlit.errors import UserError

LABELS = "labels"


def check(
    source: str,
    split: str,
    root: Path,
    batch: int,
    asked: Form,
    frames: int | None,
    stride: int,
    labels: Labels = True,
) -> None:
    """Looks at every clip of a source, then prints what it holds, what would stop a training, and what would work.

    Args:
        source: as for `VideoModality.check`, and so are the next three.
        split: "train", or what else there is.
        root: where sets known by name lie.
        batch: clips in a step.
        asked: what a training would ask for; a resolution of 0, and channels of 0, are those that suit the clips.
        frames: of a window; None for what suits them.
        stride: so many-th frames of a window are taken.
        labels: whether they are wanted, as they are or numbered anew.

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
    if seen and len(opened.classes) > 1:
        print_table(by_class(opened.classes, seen))
    needed, told, mended = {}, [], True
    if seen:
        form = completed(asked, seen)
        works = working(seen, form)
        length = frames or frames_for(usable(seen, works, 1) or seen, works, stride)
        wanted = reach(length, stride)
        problems += misfits(seen, form, wanted) + too_few(usable(seen, form, wanted), form, batch, wanted)
        if left := usable(seen, works, wanted):
            if items_of(left, works) < batch and works.cut is None:
                works = works._replace(cut=piece_for(left, works, batch, wanted))
            count = items_of(left, works)
            mended = all(problem.spare or problem.topic in ("rate", "variable rate") for problem in problems)
            needed = options(works, length, stride, count if count < batch else None, len(left) < len(opened))
        told = [*remarks(opened, seen, form)]
    for line in grouped(problems):
        console.print(line)
    for line in ["Worth knowing:", *told] if told else ():
        console.print(line)
    if needed:
        given = {"split": split} if split != "train" else {}
        given |= {"labels": opened.labels} if opened.labels is not True else {}
        console.print(f"What works{'' if mended else ' once the rest is mended'}, as init_args of the data:")
        for key, value in {"source": source, **given, **needed}.items():
            console.print("  " + yaml.safe_dump({key: value}, width=math.inf).strip())
    if problems:
        raise SystemExit(1)


def looked_through(source: str, split: str, root: Path, labels: Labels) -> tuple[Source, list[Facts], list[Problem]]:
    """A source, its clips that can be read, and what is wrong with the others and with the labels."""
    opened = open_source(source, split, root, labels)
    try:
        return opened, *survey(opened)
    except BadLabels as bad:
        without = open_source(source, split, root, bad.instead)
        seen, problems = survey(without)
        return without, seen, [Problem(LABELS, str(bad), spare=False), *problems]


def survey(source: Source) -> tuple[list[Facts], list[Problem]]:
    """Every clip that can be read, and what is wrong with the others."""

    def attempt(index: int) -> Facts | Problem:
        try:
            label = source.label(index) if source.labels else None
            return Facts.of(source.title(index), source.clip(index), label)
        except BadItem as bad:
            return Problem(bad.topic, str(bad), bad.spare)

    looked = list(ahead(attempt, len(source), f"Looking at {source.name}"))
    return [x for x in looked if isinstance(x, Facts)], [x for x in looked if isinstance(x, Problem)]


def misfits(seen: Sequence[Facts], form: Form, wanted: int) -> list[Problem]:
    """Why clips that can be read do not have a form."""
    against = [BadItem(each.title, *why) for each in seen if (why := each.against(form, wanted))]
    return [Problem(bad.topic, str(bad), bad.spare) for bad in against]


def too_few(fitting: Sequence[Facts], form: Form, batch: int, wanted: int) -> list[Problem]:
    """What is wrong with their number."""
    count = items_of(fitting, form)
    if count >= batch:
        return []
    cut = piece_for(fitting, form, batch, wanted)
    advice = f"set batch to {count} or less" if count else "add some"
    advice += f", or cut: {cut} to have pieces of so many frames" if cut else ""
    return [Problem("too few", f"{count} usable clips are fewer than a batch of {batch}: {advice}.")]


def contents(source: Source, seen: Sequence[Facts]) -> list[str]:
    """The lines of the report that say what a source holds."""
    frames = [each.tempo.frames for each in seen]
    time = f", {clock(seconds)}" if (seconds := sum(each.tempo.seconds for each in seen)) else ""
    sizes = Counter("{}x{}".format(*frame.size) for each in seen for frame in (each.first, *each.others))
    rates = Counter("no times" if each.tempo.rate is None else f"{each.tempo.rate:.3g}" for each in seen)
    lines = [
        f"{source.name}: {len(source)} clips, {len(seen)} of them readable, {sum(frames):,} frames{time}",
        "  sizes    " + (counts(sizes.items()) or "none"),
        "  kinds    " + (counts(Counter(str(each.kind) for each in seen).items()) or "none"),
        "  rates    " + (counts(rates.items()) or "none"),
    ]
    if frames:
        lines.append(f"  frames   {min(frames):,} to {max(frames):,}, half below {median(frames):,.0f}")
    return [*lines, *([f"  classes  {source.classes[0] if source.classes else 'none'}"] * (len(source.classes) < 2))]


def by_class(classes: Sequence[str], seen: Sequence[Facts]) -> Table:
    """How many clips there are of each class, and how long they are; of many classes, the largest."""
    shelves: dict[int, list[int]] = {number: [] for number in range(len(classes))}
    for each in seen:
        shelves.setdefault(each.label or 0, []).append(each.tempo.frames)
    ordered = sorted(shelves, key=lambda number: -len(shelves[number]))
    table = Table("class", "clips", "frames", box=None, pad_edge=False)
    for number in ordered[:COUNTED]:
        frames = shelves[number]
        table.add_row(classes[number], str(len(frames)), f"{min(frames):,} to {max(frames):,}" if frames else "")
    if more := ordered[COUNTED:]:
        table.add_row(f"{len(more)} more", str(sum(len(shelves[number]) for number in more)))
    return table


def remarks(source: Source, seen: Sequence[Facts], form: Form) -> Iterator[str]:
    """The lines of the report that say what would stop no training, and may still not be meant."""
    rates = Counter(f"{each.tempo.rate:.3g}" for each in seen if each.tempo.rate is not None)
    if form.fps is None and len(rates) > 1:
        yield f"  mixed rates: clips of {counts(rates.items())} are taken as they are, unless fps brings them to one"
    if changing := [each.title for each in seen if each.others]:
        yield f"  changing: the frames of {len(changing)} clips are not all of one size and kind, such as {changing[0]}"
    if isinstance(source, Folder) and (beside := Counter(map(suffix_of, source.beside))):
        yield f"  passed over: {counts((suffix or 'no suffix', count) for suffix, count in beside.items())}"
