"""Recordings of a source, decoded once into a file of samples."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ganlit.data.ahead import ahead
from ganlit.data.audio.form import PEAK, Form, objection, peak_of
from ganlit.data.audio.form import stored as shaped
from ganlit.data.audio.source import Source
from ganlit.data.ragged import lengths_of
from ganlit.data.source import BadItem
from ganlit.data.store import Stored, stored
from ganlit.errors import UserError

VERSION = 1  # of the files' layout and of the decoding
AHEAD = 4  # recordings a core, decoded ahead of the writer: bounds the memory


class Shaped(NamedTuple):
    """A recording as it is stored."""

    samples: np.ndarray  # [T, C] int16
    label: int | None
    rate: int  # before
    over: bool  # whether samples were beyond 1, and are cut there


def decoded(source: Source, form: Form, skip_bad: bool = False) -> Stored:
    """The recordings of a source in one form, one after another [T, C], mapped from the cache.

    Args:
        source: where they are.
        form: that they are brought into.
        skip_bad: leave out those that cannot be used instead of refusing the dataset.

    Raises:
        UserError: one cannot be used, none can, or the cache cannot be written.
    """
    asked = (VERSION, source.name, source.fingerprint, form, skip_bad, source.labels)
    key = blake2b(repr(asked).encode(), digest_size=8).hexdigest()
    return stored("audio", source.name, key, lambda file: write_samples(source, form, skip_bad, file))


def write_samples(source: Source, form: Form, skip_bad: bool, file: Path) -> dict[str, Any]:
    """Decodes into a file; what is known of the dataset beside its samples."""
    labels, skipped, lengths, whole, digest = [], [], [], [], blake2b(digest_size=16)
    rates, over = Counter[int](), 0
    with file.open("wb") as samples:
        for number, found in enumerate(_recordings(source, form)):
            if isinstance(found, BadItem):
                if not skip_bad:
                    raise found
                skipped.append((found.title, found.reason))
                continue
            samples.write(found.samples)
            digest.update(found.samples)
            pieces = lengths_of(len(found.samples), form.piece)
            lengths += pieces
            labels += [found.label] * len(pieces)
            whole += [number] * len(pieces)
            rates[found.rate] += 1
            over += found.over
    if not labels:
        first = " ".join(skipped[0])
        raise UserError(f"{source.name} has no recording that can be used: all {len(skipped)} are bad, as {first}.")
    labelled = labels[0] is not None
    digest.update(repr((lengths, labels)).encode())
    return {
        "name": source.name,
        "shape": [sum(lengths), form.channels],
        "dtype": "int16",
        "lengths": lengths,
        "digest": digest.hexdigest(),
        "classes": source.classes if labelled else (),
        "skipped": skipped,
        "labels": labels if labelled else None,
        "notes": [*_changed(rates, over, form)],
        **({"pieces": whole} if form.piece else {}),
    }


def _changed(rates: Counter[int], over: int, form: Form) -> Iterator[str]:
    """What was done to recordings, in a sentence each."""
    total = rates.total()
    for rate, count in rates.most_common():
        if rate != form.rate:
            yield f"{count} of {total} recordings have {rate:,} samples a second, resampled to {form.rate:,}"
    if over:
        yield f"{over} of {total} recordings go beyond 1, and are cut there: level: peak brings them to {PEAK:g}"


def _shaped(source: Source, index: int, form: Form) -> Shaped | BadItem:
    try:
        sound, label = source.recording(index)
    except BadItem as bad:
        return bad
    if against := objection(sound, form):
        return BadItem(source.title(index), *against)
    over = form.level == "kept" and peak_of(sound.samples) > 1
    return Shaped(np.ascontiguousarray(shaped(sound, form)), label, sound.rate, over)


def _recordings(source: Source, form: Form) -> Iterator[Shaped | BadItem]:
    def attempt(index: int) -> Shaped | BadItem:
        return _shaped(source, index, form)

    # soundfile and soxr work outside of the interpreter's lock.
    return ahead(attempt, len(source), f"Decoding {source.name}", AHEAD * (os.cpu_count() or 1))
