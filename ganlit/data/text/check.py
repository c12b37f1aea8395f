"""A look through texts before anything is trained on them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import yaml
from rich.console import Console

from ganlit.data.problems import Problem, counts, grouped
from ganlit.data.source import BadLabels, Labels
from ganlit.data.text.catalogue import open_source
from ganlit.data.text.form import Form, named, too_long, windows
from ganlit.data.text.source import Source, Text
from ganlit.data.text.vocabulary import UNKNOWN, Unit, Vocabulary, pieces
from ganlit.errors import UserError

NEARLY_ALL = 0.98  # of the texts find room in the length that is advised
WINDOW = 64  # symbols of one that is advised
LABELS = "labels"


class Found(NamedTuple):
    """A source that was looked through."""

    source: Source
    texts: list[Text]
    problems: list[Problem]


def check(
    source: str,
    split: str,
    root: Path,
    batch: int,
    length: int | None,
    unit: Unit | None,
    asked: Form,
    key: str,
    labels: Labels = True,
) -> None:
    """Reads every text of a source, then prints what it holds, what would stop a training, and what would work.

    Args:
        source: as for `TextModality.check`, and so are the next three.
        split: "train", or what else there is.
        root: where sets known by name lie.
        batch: texts in a step.
        length: symbols of each; None for what suits them.
        unit: of the symbols; None likewise.
        asked: what else a training would ask for.
        key: of the texts in a table.
        labels: whether they are wanted, as they are or numbered anew.

    Raises:
        SystemExit: with status 1, where anything would stop a training.
    """
    console = Console(soft_wrap=True, highlight=False, markup=False)
    try:
        found = looked_through(source, split, Path(root), labels, key, asked)
        texts, problems = found.texts, found.problems
        unit = unit or suited(texts)
        asked = asked._replace(unit=unit)
        vocabulary = Vocabulary.of((text.text for text in texts), unit, asked.symbols, asked.lower) if texts else None
    except UserError as error:
        console.print(str(error))
        raise SystemExit(1) from None
    for line in contents(found):
        console.print(line)
    needed, told = {}, []
    if vocabulary is not None:
        numbers = [vocabulary.encode(text.text) for text in texts]
        lengths = sorted(map(len, numbers))
        cut = (asked.each or found.source.usual) == "windows"
        form = asked._replace(length=length or (WINDOW if cut else fitting(lengths)))
        console.print(f"  {named(unit):<10} {sum(lengths):,}, {len(vocabulary):,} symbols of a vocabulary")
        console.print(f"  lengths    {lengths[0]:,} to {lengths[-1]:,}, half below {median(lengths):,g}")
        long = [] if cut else misfits(texts, numbers, form)
        problems += long if length is not None else []
        count = sum(len(windows(each, form.length)) for each in numbers) if cut else len(texts)
        count -= 0 if cut or length is None else len(long)
        spare = not cut and sum(lengths) >= 2 * batch * form.length  # in windows, there would be many
        if few := too_few(count, batch, found.source, cut, spare):
            problems.append(few)
        needed = options(form, asked, source, min(batch, count) if count < batch else None, key, bool(long))
        told = [*remarks(texts, numbers, vocabulary, form)]
    for line in grouped(problems):
        console.print(line)
    for line in ["Worth knowing:", *told] if told else ():
        console.print(line)
    if needed:
        console.print("What works, as init_args of the data:")
        given = {"source": source, **({"split": split} if split != "train" else {})}
        given |= {"labels": found.source.labels} if found.source.labels is not True else {}
        for name, value in {**given, **needed}.items():
            console.print("  " + yaml.safe_dump({name: value}, width=math.inf).strip())
    if problems:
        raise SystemExit(1)


def looked_through(source: str, split: str, root: Path, labels: Labels, key: str, form: Form) -> Found:
    """A source, its texts that can be read, and what is wrong with the others and with the labels."""
    opened, problems = open_source(source, split, root, labels, key), []
    try:
        results = [*opened.texts(form.each)]
    except BadLabels as bad:
        opened = open_source(source, split, root, bad.instead, key)
        results, problems = [*opened.texts(form.each)], [Problem(LABELS, str(bad), spare=False)]
    problems += [Problem(bad.topic, str(bad), bad.spare) for bad in results if not isinstance(bad, Text)]
    return Found(opened, [text for text in results if isinstance(text, Text)], problems)


def suited(texts: Sequence[Text]) -> Unit:
    """Characters, where most texts are a word, such as names."""
    short = sum(len(pieces(text.text, "words")) <= 2 for text in texts)
    return "characters" if 2 * short > len(texts) else "words"


def fitting(lengths: Sequence[int]) -> int:
    """A length in which nearly all find room, of lengths in order."""
    return max(1, lengths[min(math.ceil(NEARLY_ALL * len(lengths)), len(lengths)) - 1])


def misfits(texts: Sequence[Text], numbers: Sequence[list[int]], form: Form) -> list[Problem]:
    """Why texts that can be read, in these numbers, do not have a form."""
    against = [(text.title, too_long(each, form)) for text, each in zip(texts, numbers, strict=True)]
    return [Problem(why.topic, f"{title} {why.reason}: {why.remedy}.", why.spare) for title, why in against if why]


def too_few(count: int, batch: int, source: Source, cut: bool, spare: bool) -> Problem | None:
    """What is wrong with their number."""
    if count >= batch:
        return None
    what, are = ("window" if cut else "text") + "s" * (count != 1), "is" if count == 1 else "are"
    advice = f"set batch to {count} or less" if count else "add some"
    advice += ", or each: windows to cut long ones into many" if spare else ""
    return Problem("too few", f"{count} usable {what} of {source.name} {are} fewer than a batch of {batch}: {advice}.")


def contents(found: Found) -> list[str]:
    """The lines of the report that say what a source holds."""
    source, texts = found.source, found.texts
    shelves = Counter(text.label or 0 for text in texts)
    classes = counts((name, shelves[number]) for number, name in enumerate(source.classes)) or "none"
    documents, there = (
        f"{count:,} {what}{'s' * (count != 1)}" for count, what in ((len(source), "document"), (len(texts), "text"))
    )
    return [
        f"{source.name}: {documents}, {there} that can be read",
        f"  classes    {classes}",
    ]


def options(
    form: Form, asked: Form, source: str, batch: int | None, key: str, long: bool
) -> dict[str, int | str | bool]:
    """The options of `Texts` with which a training can start."""
    found: dict[str, int | str | bool] = {"length": form.length}
    found |= {"unit": form.unit} if form.unit != "words" else {}
    found |= {"symbols": asked.symbols} if asked.symbols else {}
    found |= {"each": asked.each} if asked.each else {}
    found |= {"key": key} if key != "text" else {}
    found |= {"lower": True} if form.lower else {}
    found |= {"shorten": True} if form.shorten or long else {}
    return found | ({"batch": batch} if batch else {})


def remarks(texts: Sequence[Text], numbers: Sequence[list[int]], vocabulary: Vocabulary, form: Form) -> Iterator[str]:
    """The lines of the report that say what would stop no training, and may still not be meant."""
    times = Counter(text.text for text in texts)
    if again := len(texts) - len(times):
        most, often = times.most_common(1)[0]
        yield f"  repeated: {again:,} texts are there before, most of all {most[:60]!r}, {often} times"
    total, unknown = sum(map(len, numbers)), sum(each.count(UNKNOWN) for each in numbers)
    if unknown:
        yield f"  unknown: {unknown:,} of {total:,} {named(form.unit)} are not in a vocabulary of {len(vocabulary):,}"
    once = [symbol for symbol, count in Counter(n for each in numbers for n in each).items() if count == 1]
    if form.unit == "words" and len(once) > len(vocabulary) / 4:
        share = len(once) / max(len(vocabulary), 1)
        yield f"  rare: {share:.0%} of the vocabulary are words that occur once, which symbols: leaves out"
    if (long := sum(len(each) > form.length for each in numbers)) and (form.each != "windows"):
        texts = f"{long:,} texts are" if long > 1 else "1 text is"
        yield f"  long: {texts} longer than {form.length:,} {named(form.unit)}, which shorten: true allows"
