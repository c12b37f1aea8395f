"""Pictures of a source, decoded once into a file of pixels."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ganlit.data.ahead import ahead
from ganlit.data.images.depth import Bits
from ganlit.data.images.fitting import objection, render
from ganlit.data.images.form import Form
from ganlit.data.images.limits import most_pixels
from ganlit.data.images.source import Source
from ganlit.data.images.tiles import Cut, count, cut
from ganlit.data.source import BadItem
from ganlit.data.store import Stored, stored
from ganlit.errors import UserError

VERSION = 2  # of the files' layout and of the decoding
BLOCK = 512  # pictures decoded ahead of the writer, unless they are so large: bounds the memory
BYTES = 2**28  # of them


class Fitted(NamedTuple):
    """A picture as it is stored."""

    pixels: np.ndarray  # [N, C, R, R] in the form's type: the one image, or all tiles
    label: int | None
    bits: Bits  # a channel, before
    cut: Cut | None = None  # into tiles


def decoded(source: Source, form: Form, skip_bad: bool = False) -> Stored:
    """The pictures of a source in one form, [N, C, R, R], mapped from the cache.

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
        BadItem: it cannot be used.
    """
    picture, label = source.picture(index, form)
    against = objection(picture.image.size, picture.kind, form, picture.depth)
    if against:
        raise BadItem(source.title(index), *against)
    if form.fit != "tiles":
        return Fitted(render(picture, form)[None], label, picture.kind.bits)
    pixels, (width, height) = render(picture, form._replace(fit="any")), picture.image.size
    how = Cut(source.title(index), width // form.resolution, height // form.resolution)
    return Fitted(cut(pixels, form.resolution), label, picture.kind.bits, how)


def write_pixels(source: Source, form: Form, skip_bad: bool, file: Path) -> dict[str, Any]:
    """Decodes into a file; what is known of the dataset beside its pixels."""
    labels, skipped, cuts, bits, digest = [], [], [], [], blake2b(digest_size=16)
    sizes = _sizes(source, form)
    if not skip_bad:
        _refuse_size(source, form, sizes, file.parent)
    with file.open("wb") as pixels:
        for picture in _pictures(source, form, sizes):
            if isinstance(picture, BadItem):
                if not skip_bad:
                    raise picture
                skipped.append((picture.title, picture.reason))
                continue
            images = np.ascontiguousarray(picture.pixels)
            pixels.write(images)
            digest.update(images)
            labels += [picture.label] * len(images)
            cuts.append(picture.cut)
            bits.append(picture.bits)
    if not labels:
        first = " ".join(skipped[0])
        raise UserError(f"{source.name} has no picture that can be used: all {len(skipped)} are bad, as {first}.")
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
        "notes": [*_changed(form.depth, bits)],
        **({"dtype": form.dtype.name} if form.depth != 8 else {}),
        **({"tiles": cuts} if form.fit == "tiles" else {}),
    }


def _changed(depth: Bits, bits: list[Bits]) -> Iterator[str]:
    """What was done to pictures of another depth, in a sentence."""
    deep, flat = bits.count(16), bits.count(8)
    if depth == 8 and deep:
        yield f"{deep} of {len(bits)} pictures have 16 bits a channel, of which the upper 8 are kept"
    if depth == 16 and flat:
        yield f"{flat} of {len(bits)} pictures have 8 bits a channel, and are spread over 16"


def _sizes(source: Source, form: Form) -> list[tuple[int, int]]:
    """Width and height of the pictures that can be opened, where these tell how many images they become."""

    def size(index: int) -> tuple[int, int]:
        try:
            return source.size(index, form)
        except BadItem:  # of which the decoding tells
            return 0, 0

    if form.fit != "tiles":
        return []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(size, range(len(source))))


def _refuse_size(source: Source, form: Form, sizes: Sequence[tuple[int, int]], folder: Path) -> None:
    images, what = len(source), "pictures"
    remedy = f"lower data.init_args.resolution from {form.resolution}"
    if form.fit == "tiles":
        images, what = sum(count(size, form.resolution) for size in sizes), "tiles"
        remedy = "leave some pictures out"
    size, free = images * _bytes(form, form.resolution**2), shutil.disk_usage(folder).free
    if size > free:
        raise UserError(
            f"The {images} {what} of {source.name} take {size / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free "
            f"in {folder.parent}: {remedy}, or set GANLIT_CACHE to another folder."
        )


def _bytes(form: Form, pixels: int) -> int:
    return form.channels * pixels * form.dtype.itemsize


def _pictures(source: Source, form: Form, sizes: Sequence[tuple[int, int]] = ()) -> Iterator[Fitted | BadItem]:
    def attempt(index: int) -> Fitted | BadItem:
        try:
            return fitted(source, index, form)
        except BadItem as bad:
            return bad

    largest = max([form.resolution**2, *(width * height for width, height in sizes)])
    most = max(1, min(BLOCK, BYTES // _bytes(form, largest)))
    # Pillow decodes and resizes outside of the interpreter's lock.
    return ahead(attempt, len(source), f"Decoding {source.name}", most)
