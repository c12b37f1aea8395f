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
from ganlit.data.audio.advice import completed, items_of, options, piece_for, segment_for, usable, working
from ganlit.data.audio.catalogue import open_source
from ganlit.data.audio.facts import Facts
from ganlit.data.audio.form import PEAK, Form
from ganlit.data.audio.source import Source, suffix_of
from ganlit.data.audio.tree import Folder
from ganlit.data.problems import COUNTED, Problem, counts, grouped
from ganlit.data.source import BadItem, BadLabels, Labels
from ganlit.errors import UserError

QUIET = 0.5  # share of silent moments that is told of
UNEVEN = 10  # times as high is one peak as another
LABELS = "labels"


def check(
    source: str, split: str, root: Path, batch: int, asked: Form, segment: int | None, labels: Labels = True
) -> None:
    """Hears every recording of a source, then prints what it holds, what would stop a training, and what would work.

    Args:
        source: as for `AudioModality.check`, and so are the next three.
        split: "train", or what else there is.
        root: where sets known by name lie or are fetched to.
        batch: recordings in a step.
        asked: what a training would ask for; a rate of 0, and channels of 0, are those that suit the recordings.
        segment: samples of a window; None for what suits them.
        labels: whether they are wanted, as they are or numbered anew.

    Raises:
        SystemExit: with status 1, where anything would stop a training.
    """
    console = Console(soft_wrap=True, highlight=False, markup=False)
    try:
        opened, heard, problems = looked_through(source, split, Path(root), labels)
    except UserError as error:
        console.print(str(error))
        raise SystemExit(1) from None
    for line in contents(opened, heard):
        console.print(line)
    if heard and len(opened.classes) > 1:
        print_table(by_class(opened.classes, heard))
    needed, told, mended = {}, [], True
    if heard:
        form = completed(asked, heard)
        fitting, works = usable(heard, form), working(heard, form)
        length = segment or segment_for(heard, form)
        problems += misfits(heard, form) + too_few(fitting, form, batch, length)
        if left := usable(heard, works):
            if items_of(left, works) < batch and works.cut is None:
                works = works._replace(cut=piece_for(left, works, batch, length))
            mended = all(problem.spare for problem in problems if problem.topic not in ("rate", "channels", "beyond 1"))
            count = items_of(left, works)
            needed = options(works, length, min(batch, count) if count < batch else None, len(left) < len(opened))
        told = [*remarks(opened, heard, form, segment)]
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
    """A source, its recordings that can be read, and what is wrong with the others and with the labels."""
    opened = open_source(source, split, root, labels)
    try:
        return opened, *survey(opened)
    except BadLabels as bad:
        without = open_source(source, split, root, bad.instead)
        heard, problems = survey(without)
        return without, heard, [Problem(LABELS, str(bad), spare=False), *problems]


def survey(source: Source) -> tuple[list[Facts], list[Problem]]:
    """Every recording that can be read, and what is wrong with the others."""

    def attempt(index: int) -> Facts | Problem:
        try:
            sound, label = source.recording(index)
        except BadItem as bad:
            return Problem(bad.topic, str(bad), bad.spare)
        return Facts.of(source.title(index), sound, label)

    looked = list(ahead(attempt, len(source), f"Hearing {source.name}"))
    return [x for x in looked if isinstance(x, Facts)], [x for x in looked if isinstance(x, Problem)]


def misfits(heard: Sequence[Facts], form: Form) -> list[Problem]:
    """Why recordings that can be read do not have a form."""
    against = [(each.title, each.against(form)) for each in heard]
    return [Problem(why.topic, f"{title} {why.reason}: {why.remedy}.", why.spare) for title, why in against if why]


def too_few(fitting: Sequence[Facts], form: Form, batch: int, segment: int) -> list[Problem]:
    """What is wrong with their number."""
    count = items_of(fitting, form)
    if count >= batch:
        return []
    cut = piece_for(fitting, form, batch, segment)
    advice = f"set batch to {count} or less" if count else "add some"
    advice += f", or cut: {cut:g} to have pieces of so many seconds" if cut else ""
    return [Problem("too few", f"{count} usable recordings are fewer than a batch of {batch}: {advice}.")]


def contents(source: Source, heard: Sequence[Facts]) -> list[str]:
    """The lines of the report that say what a source holds."""
    whole = [each for each in heard if each.wrong is None]
    time = clock(sum(each.seconds for each in heard))
    lines = [
        f"{source.name}: {len(source)} recordings, {len(heard)} of them readable, {time}",
        "  rates    " + (counts(Counter(each.rate for each in heard).items()) or "none"),
        "  channels " + (counts(Counter(each.channels for each in heard).items()) or "none"),
    ]
    if whole:
        seconds, peaks = ([getattr(each, name) for each in whole] for name in ("seconds", "peak"))
        decibels = [20 * math.log10(each.loudness) for each in whole]
        lines += [
            f"  seconds  {min(seconds):.3g} to {max(seconds):.3g}, half below {median(seconds):.3g}",
            f"  peaks    {min(peaks):.3g} to {max(peaks):.3g}",
            f"  loudness {min(decibels):.0f} to {max(decibels):.0f} dB, half below {median(decibels):.0f}",
        ]
    return [*lines, *([f"  classes  {source.classes[0] if source.classes else 'none'}"] * (len(source.classes) < 2))]


def by_class(classes: Sequence[str], heard: Sequence[Facts]) -> Table:
    """How many recordings there are of each class, and how long they are; of many classes, the largest."""
    shelves: dict[int, list[Facts]] = {number: [] for number in range(len(classes))}
    for each in heard:
        shelves.setdefault(each.label or 0, []).append(each)
    ordered = sorted(shelves, key=lambda number: -len(shelves[number]))
    table = Table("class", "recordings", "time", "seconds", "half below", box=None, pad_edge=False)
    for number in ordered[:COUNTED]:
        seconds = [each.seconds for each in shelves[number]]
        span = (f"{min(seconds):.3g} to {max(seconds):.3g}", f"{median(seconds):.3g}") if seconds else ("", "")
        table.add_row(classes[number], str(len(seconds)), clock(sum(seconds)), *span)
    if more := ordered[COUNTED:]:
        rest = [each for number in more for each in shelves[number]]
        table.add_row(f"{len(more)} more", str(len(rest)), clock(sum(each.seconds for each in rest)))
    return table


def remarks(source: Source, heard: Sequence[Facts], form: Form, segment: int | None) -> Iterator[str]:
    """The lines of the report that say what would stop no training, and may still not be meant."""
    clipped = sorted((each for each in heard if each.clipped), key=lambda each: -each.clipped)
    if clipped:
        most = f"{clipped[0].title} with {clipped[0].clipped:,} samples"
        yield f"  clipping: {len(clipped)} recordings stand at the limit in rows of equal samples, most of all {most}"
    if quiet := sorted((each for each in heard if each.quiet >= QUIET), key=lambda each: -each.quiet):
        most = f"{quiet[0].title} for {quiet[0].quiet:.0%}"
        yield f"  quiet: {len(quiet)} recordings are silent for half of their time or more, most of all {most}"
    peaks = [each.peak for each in heard if each.peak]
    if peaks and form.level == "kept" and min(peaks) * UNEVEN < max(peaks):
        span = f"{min(peaks):.3g} to {max(peaks):.3g}"
        yield f"  uneven: peaks go from {span}, and level: peak brings them all to {PEAK:g}"
    rates = Counter(each.rate for each in heard if each.rate != form.rate)
    if rates:
        yield f"  mixed rates: recordings of {counts(rates.items())} are resampled to {form.rate}"
    short = [each for each in heard if segment is not None and each.seconds * form.rate < segment]
    if short:
        yield f"  short: {len(short)} recordings are shorter than a window of {segment} samples, and end in silence"
    if isinstance(source, Folder) and (beside := Counter(map(suffix_of, source.beside))):
        yield f"  passed over: {counts((suffix or 'no suffix', count) for suffix, count in beside.items())}"
