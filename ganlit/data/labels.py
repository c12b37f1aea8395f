"""The labels that a dataset.json gives to items, as StyleGAN's tools write it."""

from __future__ import annotations

import json
import posixpath
import unicodedata
from collections import Counter
from collections.abc import Sequence
from reprlib import repr  # in a few words, however large or nested
from typing import Any, NamedTuple

from ganlit.data.source import BadLabels
from ganlit.errors import printable

LISTING = "dataset.json"
LARGEST = 2**27  # bytes of it: two million items, or half a million with poses

Entries = list[tuple[str, Any]]


class Numbered(NamedTuple):
    """Items with the numbers of their classes."""

    labels: dict[str, int]  # by path
    classes: tuple[str, ...]


def entries_of(content: bytes, place: str) -> tuple[Entries, tuple[str, ...]]:
    """Paths with their labels as they are written, and the names of the classes, if they have some.

    Args:
        content: of dataset.json: `{"labels": [["00000/img00000000.png", 5], ...]}` or null labels, and perhaps
            `"classes": ["airplane", ...]`.
        place: what messages call it.

    Raises:
        BadLabels: it is something else.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError, MemoryError) as error:
        raise BadLabels(f"{place} is not JSON ({str(error) or 'too large'})") from None
    if not isinstance(document, dict) or not isinstance(document.get("labels"), list | None):
        raise BadLabels(f'{place} must hold {{"labels": [["member.png", 0], ...]}} or null labels')
    names, entries = document.get("classes"), document.get("labels") or []
    if not isinstance(names, list | None) or not all(isinstance(name, str | int) for name in names or []):
        raise BadLabels(f'{place} has the "classes" {repr(names)} where a list of names is meant')
    for entry in entries:
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)):
            raise BadLabels(f'{place} has the entry {repr(entry)} where ["member.png", 0] is meant')
    return [(normal(path), label) for path, label in entries if label is not None], tuple(map(str, names or ()))


def normal(path: str) -> str:
    """One spelling of a path: of separators, detours and accents."""
    return unicodedata.normalize("NFC", posixpath.normpath(path.replace("\\", "/")))


def numbered(entries: Entries, names: Sequence[str], place: str, anew: bool) -> Numbered:
    """What class each item is of.

    Args:
        entries: paths with labels: whole numbers, or lists with a single one among zeros; with `anew`, or words.
        names: of the classes, which are then as many.
        place: what messages call the file.
        anew: number the classes from 0 in their order, whatever they were called.

    Raises:
        BadLabels: an item is listed twice, or the labels are not the numbers of classes, from 0 without gaps.
    """
    counts = Counter(path for path, _ in entries)
    if len(counts) < len(entries):
        path = counts.most_common(1)[0][0]
        given = " and ".join(repr(label) for other, label in entries if other == path)
        raise BadLabels(f"{place} lists {printable(path)} {counts[path]} times, with the labels {given}")
    labels, count = _numbers(entries, place, words=anew)
    if anew:
        known = sorted(set(labels.values()))
        number = {label: number for number, label in enumerate(known)}
        shown = names if len(names) == len(known) else known
        return Numbered(
            {path: number[label] for path, label in labels.items()}, tuple(printable(str(n)) for n in shown)
        )
    count = len(names) or count
    lowest, highest = min(labels.values(), default=0), max(labels.values(), default=0)
    if labels and not 0 <= lowest <= highest < count:
        has = "names" if names else "has"
        wanted = f"numbered {lowest} to {highest} where 0 to {count - 1} is meant"
        raise BadLabels(f"{place} {has} {count} classes, {wanted}", "renumber")
    return Numbered(labels, tuple(map(printable, names or map(str, range(count)))))


def _numbers(entries: Entries, place: str, words: bool) -> tuple[dict[str, Any], int]:
    """The label of each path as one number or word, and how many classes these are."""
    lists = [label for _, label in entries if isinstance(label, list)]
    if len(lists) == len(entries) and len(set(map(len, lists))) == 1 and all(map(_one_hot, lists)):
        return {path: label.index(1) for path, label in entries}, len(lists[0])
    kind = str if words and all(isinstance(label, str) for _, label in entries) else int
    for path, label in entries:
        if not isinstance(label, kind) or isinstance(label, bool):
            sentence = f"{place} gives {printable(path)} the label {repr(label)} where the number of a class is meant"
            raise BadLabels(sentence, "renumber" if all(isinstance(label, str) for _, label in entries) else False)
    return dict(entries), len({label for _, label in entries})


def _one_hot(label: list[Any]) -> bool:
    return label.count(1) == 1 and label.count(0) == len(label) - 1
