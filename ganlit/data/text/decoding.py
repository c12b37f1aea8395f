"""Texts of a source, brought once into a file of numbers, and what these stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ganlit.data.held import parted
from ganlit.data.source import BadItem
from ganlit.data.store import Stored, stored
from ganlit.data.text.form import Form, named, row, too_long, windows
from ganlit.data.text.source import Source, Text
from ganlit.data.text.vocabulary import UNKNOWN, Vocabulary, pieces
from ganlit.errors import UserError

VERSION = 1  # of the files' layout and of the encoding


class Item(NamedTuple):
    """A text, or a window of one, in numbers."""

    numbers: list[int]
    label: int | None
    document: int


def decoded(
    source: Source, form: Form, share: float = 0.0, vocabulary: Vocabulary | None = None, skip_bad: bool = False
) -> Stored:
    """The texts of a source in one form, int32 [N, L], mapped from the cache; about.json holds their vocabulary.

    Args:
        source: where they are.
        form: that they are brought into.
        share: of them that will be held out, see `parted`: what is in these alone is in no vocabulary.
        vocabulary: to be used instead of one that is made of them.
        skip_bad: leave out those that cannot be used instead of refusing the dataset.

    Raises:
        UserError: one cannot be used, none can, or the cache cannot be written.
    """
    given = None if vocabulary is None else vocabulary.digest
    asked = (VERSION, source.name, source.fingerprint, form, share, given, skip_bad, source.labels)
    key = blake2b(repr(asked).encode(), digest_size=8).hexdigest()
    return stored("text", source.name, key, lambda file: write_rows(source, form, share, vocabulary, skip_bad, file))


def write_rows(
    source: Source, form: Form, share: float, vocabulary: Vocabulary | None, skip_bad: bool, file: Path
) -> dict[str, Any]:
    """Encodes into a file; what is known of the dataset beside its numbers."""
    texts, skipped = [], []
    for found in source.texts(form.each):
        if isinstance(found, Text):
            texts.append(found)
        elif skip_bad:
            skipped.append((found.title, found.reason))
        else:
            raise found
    if vocabulary is None:
        vocabulary = made_of(texts, form, share)
    items = []
    for found in encoded(texts, form, vocabulary, source):
        if isinstance(found, Item):
            items.append(found)
        elif skip_bad:
            skipped.append((found.title, found.reason))
        else:
            raise found
    if not items:
        first = " ".join(skipped[0]) if skipped else "is empty"
        raise UserError(f"{source.name} has no text that can be used: all {len(skipped)} are bad, as {first}.")
    rows = np.stack([row(item.numbers, form.length) for item in items])
    rows.tofile(file)
    labels = [item.label for item in items]
    labelled = labels[0] is not None
    hashed = blake2b(rows.tobytes() + repr((labels, vocabulary.digest)).encode(), digest_size=16)
    return {
        "name": source.name,
        "shape": list(rows.shape),
        "dtype": "int32",
        "digest": hashed.hexdigest(),
        "classes": source.classes if labelled else (),
        "skipped": skipped,
        "labels": labels if labelled else None,
        "notes": [*notes(items, form, vocabulary)],
        "documents": [item.document for item in items],
        "vocabulary": vocabulary.document,
    }


def made_of(texts: Sequence[Text], form: Form, share: float) -> Vocabulary:
    """The vocabulary of those texts that are trained on; of windows, which are held out one by one, of all."""
    words = [text.text for text in texts]
    if share and form.each != "windows":
        if form.unit != "bpe" and not form.shorten:  # longer ones will be left out, and are not counted
            words = [text for text in words if len(pieces(text, form.unit)) <= form.length] or words
        words = [words[place] for place in parted(len(words), share)[0].tolist()]
    return Vocabulary.of(words, form.unit, form.symbols, form.lower)


def encoded(texts: Sequence[Text], form: Form, vocabulary: Vocabulary, source: Source) -> Iterator[Item | BadItem]:
    """Every text in numbers, or what is wrong with it."""
    for text in texts:
        numbers = vocabulary.encode(text.text)
        if (form.each or source.usual) == "windows":
            yield from (Item(piece, text.label, text.document) for piece in windows(numbers, form.length))
        elif against := too_long(numbers, form):
            yield BadItem(text.title, *against)
        else:
            yield Item(numbers, text.label, text.document)


def notes(items: Sequence[Item], form: Form, vocabulary: Vocabulary) -> Iterator[str]:
    """What was done to texts, in a sentence each."""
    what = named(form.unit)
    unknown = sum(item.numbers.count(UNKNOWN) for item in items) if vocabulary.ends else 0
    total = sum(len(item.numbers) for item in items)
    known = f"{total:,} {what}, {len(vocabulary):,} symbols"
    yield f"{known}, {unknown:,} unknown ({unknown / total:.2%})" if unknown else f"{known}, none unknown"
    if over := sum(len(item.numbers) > form.length for item in items):
        yield f"{over:,} of {len(items):,} texts are longer than {form.length:,} {what}, and cut there"


def vocabulary_of(stored: Stored) -> Vocabulary:
    """That of stored texts."""
    return Vocabulary.told(stored.about["vocabulary"])
