"""Pictures of a source, decoded once into a file of pixels."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from ganlit.data.images.fitting import Form, objection, render
from ganlit.data.images.limits import most_pixels
from ganlit.data.images.source import BadPicture, Source
from ganlit.data.store import Stored, stored
from ganlit.errors import UserError

VERSION = 2  # of the files' layout and of the decoding
BLOCK = 512  # pictures decoded ahead of the writer, unless they are so large: bounds the memory
BYTES = 2**28  # of them


class Fitted(NamedTuple):
    """A picture as it is stored."""

    pixels: np.ndarray  # [C, R, R] uint8
    label: int | None
    deep: bool  # whether it had 16 bits


def decoded(source: Source, form: Form, skip_bad: bool = False) -> Stored:
    """The pictures of a source in one form, uint8 [N, C, R, R], mapped from the cache.

    Args:
        skip_bad: leave out the pictures that cannot be used instead of refusing the dataset.

    Raises:
        UserError: a picture cannot be used, none can, or the cache cannot be written.
    """
    asked = (form, skip_bad, source.labels, most_pixels() if skip_bad else None)
    key = blake2b(repr((VERSION, source.name, source.fingerprint, *asked)).encode(), digest_size=8).hexdigest()
    return stored("images", source.name, key, lambda file: write_pixels(source, form, skip_bad, file))


def fitted(source: Source, index: int, form: Form) -> Fitted:
    """One picture.

    Raises:
        BadPicture: it cannot be used.
    """
    picture, label = source.picture(index)
    against = objection(picture.image.size, picture.kind, form, picture.depth)
    if against:
        raise BadPicture(source.title(index), *against)
    return Fitted(render(picture, form), label, picture.depth is not None)


def write_pixels(source: Source, form: Form, skip_bad: bool, file: Path) -> dict[str, Any]:
    """Decodes into a file; what is known of the dataset beside its pixels."""
    labels, skipped, digest, deep = [], [], blake2b(digest_size=16), 0
    if not skip_bad:
        _refuse_size(source, form, file.parent)
    with file.open("wb") as pixels:
        for picture in _pictures(source, form):
            if isinstance(picture, BadPicture):
                if not skip_bad:
                    raise picture
                skipped.append((picture.title, picture.reason))
                continue
            image = np.ascontiguousarray(picture.pixels)
            pixels.write(image)
            digest.update(image)
            labels.append(picture.label)
            deep += picture.deep
    if not labels:
        first = " ".join(skipped[0])
        raise UserError(f"{source.name} has no picture that can be used: all {len(skipped)} are bad, as {first}.")
    labelled = labels[0] is not None
    digest.update(repr(labels).encode())
    notes = [f"{deep} of {len(labels)} pictures have 16 bits a channel, of which the upper 8 are kept"]
    classes = source.classes or (tuple(map(str, range(max(labels) + 1))) if labelled else ())
    return {
        "name": source.name,
        "shape": [len(labels), form.channels, form.resolution, form.resolution],
        "digest": digest.hexdigest(),
        "classes": classes,
        "counts": np.bincount(labels, minlength=len(classes)).tolist() if labelled else [],
        "skipped": skipped,
        "labels": labels if labelled else None,
        "notes": notes if deep else [],
    }


def _refuse_size(source: Source, form: Form, folder: Path) -> None:
    size, free = len(source) * form.channels * form.resolution**2, shutil.disk_usage(folder).free
    if size > free:
        raise UserError(
            f"The {len(source)} pictures of {source.name} take {size / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free "
            f"in {folder.parent}: lower data.init_args.resolution from {form.resolution}, or set GANLIT_CACHE "
            "to another folder."
        )


def _pictures(source: Source, form: Form) -> Iterator[Fitted | BadPicture]:
    def attempt(index: int) -> Fitted | BadPicture:
        try:
            return fitted(source, index, form)
        except BadPicture as bad:
            return bad

    count, console = len(source), Console(stderr=True)
    ahead = max(1, min(BLOCK, BYTES // (form.channels * form.resolution**2)))
    # Pillow decodes and resizes outside of the interpreter's lock.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        blocks = (range(first, min(first + ahead, count)) for first in range(0, count, ahead))
        yield from track(
            (picture for block in blocks for picture in pool.map(attempt, block)),
            f"Decoding {source.name}",
            total=count,
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
