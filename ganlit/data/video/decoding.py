"""Clips of a source, decoded once into a file of frames."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ganlit.data.ahead import ahead
from ganlit.data.ragged import lengths_of
from ganlit.data.source import BadItem
from ganlit.data.store import Stored
from ganlit.data.store import stored as kept
from ganlit.data.video.form import Form, stored, wrong_frame, wrong_tempo
from ganlit.data.video.reading import Frame
from ganlit.data.video.source import Source
from ganlit.data.video.tempo import Tempo, at_even_times
from ganlit.errors import UserError

VERSION = 1  # of the files' layout and of the decoding
AHEAD = 2  # clips a core, decoded ahead of the writer: bounds the memory
LARGEST = 2**33  # bytes of a clip as it is stored


class Shaped(NamedTuple):
    """A clip as it is stored."""

    frames: np.ndarray  # [T, C, R, R] uint8
    tempo: Tempo  # before
    label: int | None = None


def decoded(source: Source, form: Form, skip_bad: bool = False) -> Stored:
    """The clips of a source in one form, one after another [T, C, R, R], mapped from the cache.

    Args:
        source: where they are.
        form: that they are brought into.
        skip_bad: leave out those that cannot be used instead of refusing the dataset.

    Raises:
        UserError: one cannot be used, none can, or the cache cannot be written.
    """
    asked = (VERSION, source.name, source.fingerprint, form, skip_bad, source.labels)
    key = blake2b(repr(asked).encode(), digest_size=8).hexdigest()
    return kept("video", source.name, key, lambda file: write_frames(source, form, skip_bad, file))


def write_frames(source: Source, form: Form, skip_bad: bool, file: Path) -> dict[str, Any]:
    """Decodes into a file; what is known of the dataset beside its frames."""
    labels, titles, skipped, lengths, whole, digest = [], [], [], [], [], blake2b(digest_size=16)
    rates = Counter[str]()
    _refuse_size(source, form, file.parent)
    with file.open("wb") as frames:
        for number, found in enumerate(_clips(source, form)):
            if isinstance(found, BadItem):
                if not skip_bad:
                    raise found
                skipped.append((found.title, found.reason))
                continue
            frames.write(found.frames)
            digest.update(found.frames)
            pieces = lengths_of(len(found.frames), form.cut)
            lengths += pieces
            labels += [found.label] * len(pieces)
            titles += [source.title(number)] * len(pieces)
            whole += [number] * len(pieces)
            if found.tempo.rate is not None:
                rates[f"{found.tempo.rate:.3g}"] += 1
    if not labels:
        first = " ".join(skipped[0])
        raise UserError(f"{source.name} has no clip that can be used: all {len(skipped)} are bad, as {first}.")
    labelled = labels[0] is not None
    digest.update(repr((lengths, labels)).encode())
    side = form.picture.resolution
    return {
        "name": source.name,
        "shape": [sum(lengths), form.picture.channels, side, side],
        "lengths": lengths,
        "digest": digest.hexdigest(),
        "classes": source.classes if labelled else (),
        "skipped": skipped,
        "labels": labels if labelled else None,
        "titles": titles,
        "notes": [*_told(rates, form)],
        **({"pieces": whole} if form.cut else {}),
    }


def shaped(source: Source, index: int, form: Form) -> Shaped:
    """A clip, decoded.

    Raises:
        BadItem: it cannot be used.
    """
    times, found, size = [], [], 0

    def passing() -> Iterator[Frame]:
        for frame in source.clip(index):
            if against := wrong_frame(frame, form):
                raise BadItem(source.title(index), *against)
            times.append(frame.time)
            yield frame

    frames = passing()
    for frame in frames if form.fps is None else at_even_times(frames, form.fps):
        found.append(stored(frame, form))
        size += found[-1].nbytes
        if size > LARGEST:
            reason = f"has more than {len(found) - 1:,} frames, all that are read at once"
            raise BadItem(source.title(index), "too long", reason, "cut it into shorter ones")
    if against := wrong_tempo(tempo := Tempo.of(times), form):
        raise BadItem(source.title(index), *against)
    return Shaped(np.stack(found), tempo)


def _clips(source: Source, form: Form) -> Iterator[Shaped | BadItem]:
    def attempt(index: int) -> Shaped | BadItem:
        try:
            label = source.label(index) if source.labels else None
            return shaped(source, index, form)._replace(label=label)
        except BadItem as bad:
            return bad

    # FFmpeg and Pillow work outside of the interpreter's lock.
    return ahead(attempt, len(source), f"Decoding {source.name}", AHEAD * (os.cpu_count() or 1))


def _refuse_size(source: Source, form: Form, folder: Path) -> None:
    """Refuses what finds no room, as far as files tell how many frames they have."""
    frames = 0
    for index in range(len(source)):
        try:
            header = source.header(index)
        except BadItem:  # of which decoding tells
            continue
        share = 1.0 if form.fps is None or not header.rate else min(1.0, form.fps / header.rate)
        frames += round(share * (header.frames or 0))
    size, free = frames * form.picture.channels * form.picture.resolution**2, shutil.disk_usage(folder).free
    if size > free:
        raise UserError(
            f"The {frames:,} frames of {source.name} take {size / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free in "
            f"{folder.parent}: lower data.init_args.resolution from {form.picture.resolution}, set fps, or set "
            "GANLIT_CACHE to another folder."
        )


def _told(rates: Counter[str], form: Form) -> Iterator[str]:
    """What who trains on clips may not know of them, in a sentence each."""
    if form.fps is None and len(rates) > 1:
        found = ", ".join(f"{rate} ({count} clips)" for rate, count in rates.most_common(4))
        yield f"clips have different numbers of frames a second, taken as they are: {found}; fps brings them to one"
