"""Pictures of a source, decoded once into a file of pixels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from ganlit.data.images.fitting import Form, objection, render
from ganlit.data.images.source import BadPicture, Source
from ganlit.data.store import Stored, stored
from ganlit.errors import UserError

VERSION = 1  # of the files' layout and of the decoding
BLOCK = 512  # pictures decoded ahead of the writer: bounds the memory


def decoded(source: Source, form: Form, skip_bad: bool = False) -> Stored:
    """The pictures of a source in one form, uint8 [N, C, R, R], mapped from the cache.

    Args:
        skip_bad: leave out the pictures that cannot be used instead of refusing the dataset.

    Raises:
        UserError: a picture cannot be used, none can, or the cache cannot be written.
    """
    key = blake2b(repr((VERSION, source.name, source.fingerprint, form, skip_bad)).encode(), digest_size=8).hexdigest()
    return stored("images", source.name, key, lambda file: write_pixels(source, form, skip_bad, file))


def fitted(source: Source, index: int, form: Form) -> tuple[np.ndarray, int | None]:
    """The pixels [C, R, R] uint8 and the label of one picture.

    Raises:
        BadPicture: it cannot be used.
    """
    picture, label = source.picture(index)
    against = objection(picture.image.size, picture.kind, form)
    if against:
        raise BadPicture(source.title(index), *against)
    return render(picture, form), label


def write_pixels(source: Source, form: Form, skip_bad: bool, file: Path) -> dict[str, Any]:
    """Decodes into a file; what is known of the dataset beside its pixels."""
    labels, skipped, digest = [], [], blake2b(digest_size=16)
    with file.open("wb") as pixels:
        for picture in _pictures(source, form):
            if isinstance(picture, BadPicture):
                if not skip_bad:
                    raise picture
                skipped.append((picture.title, picture.reason))
                continue
            image, label = picture
            image = np.ascontiguousarray(image)
            pixels.write(image)
            digest.update(image)
            labels.append(label)
    if not labels:
        raise UserError(f"{source.name} has no picture that can be used: all {len(skipped)} are bad.")
    labelled = labels[0] is not None
    digest.update(repr(labels).encode())
    classes = source.classes or (tuple(map(str, range(max(labels) + 1))) if labelled else ())
    return {
        "name": source.name,
        "shape": [len(labels), form.channels, form.resolution, form.resolution],
        "digest": digest.hexdigest(),
        "classes": classes,
        "counts": np.bincount(labels, minlength=len(classes)).tolist() if labelled else [],
        "skipped": skipped,
        "labels": labels if labelled else None,
    }


def _pictures(source: Source, form: Form) -> Iterator[tuple[np.ndarray, int | None] | BadPicture]:
    def attempt(index: int) -> tuple[np.ndarray, int | None] | BadPicture:
        try:
            return fitted(source, index, form)
        except BadPicture as bad:
            return bad

    count, console = len(source), Console(stderr=True)
    # Pillow decodes and resizes outside of the interpreter's lock.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        blocks = (range(first, min(first + BLOCK, count)) for first in range(0, count, BLOCK))
        yield from track(
            (picture for block in blocks for picture in pool.map(attempt, block)),
            f"Decoding {source.name}",
            total=count,
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
