"""Datasets, decoded once: uint8 pixels in a file that every process maps, so that they share its pages."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_info
from rich.console import Console
from rich.progress import track

from ganlit.contracts import Reference
from ganlit.data.images.fitting import Form, objection, render
from ganlit.data.images.source import BadPicture, Source
from ganlit.errors import UserError
from ganlit.records.cache import alone, room

VERSION = 1  # of the files' layout and of the decoding
BLOCK = 512  # pictures decoded ahead of the writer: bounds the memory
PIXELS, ABOUT = "pixels", "about.json"


class Stored(NamedTuple):
    """A decoded dataset and what was left out of it."""

    reference: Reference
    skipped: list[tuple[str, str]]  # title and reason
    folder: Path


def decoded(source: Source, form: Form, skip_bad: bool = False) -> Stored:
    """The pictures of a source in one form, mapped from the cache; decoded into it at the first time.

    Each dataset has a folder of its own in $GANLIT_CACHE/images (~/.cache/ganlit/images): `pixels` holds [N, C, R, R]
    uint8 and about.json the rest.

    Args:
        skip_bad: leave out the pictures that cannot be used instead of refusing the dataset.

    Raises:
        UserError: a picture cannot be used, none can, or the cache cannot be written.
    """
    key = blake2b(repr((VERSION, source.name, source.fingerprint, form, skip_bad)).encode(), digest_size=8).hexdigest()
    folder = room("images") / (re.sub(r"[^\w.-]", "_", source.name) + "-" + key)
    stored = mapped(folder)
    if stored is None:
        with alone(folder, rank_zero_info):
            stored = mapped(folder)  # by whom we have waited for
            if stored is None:
                _decode(source, form, skip_bad, folder)
                stored = mapped(folder)
    return stored


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


def mapped(folder: Path) -> Stored | None:
    """The dataset in a folder, if it is there and whole."""
    pixels = folder / PIXELS
    try:
        about = json.loads((folder / ABOUT).read_text())
        size = torch.Size(about["shape"])
        if pixels.stat().st_size != size.numel():
            return None
    except (OSError, ValueError, LookupError):
        return None
    # A private mapping: pages are shared until written to, and writing to them leaves the file alone.
    images = torch.from_file(str(pixels), shared=False, size=size.numel(), dtype=torch.uint8).view(size)
    labels = torch.tensor(about["labels"] or [0] * len(images))
    reference = Reference(about["name"], about["digest"], images, labels, tuple(about["classes"]))
    return Stored(reference, [(title, reason) for title, reason in about["skipped"]], folder)


@contextmanager
def taking_place(folder: Path, whole: Callable[[], bool]) -> Iterator[Path]:
    """A new folder beside another, whose place it takes when the block ends well; nothing of it is left otherwise.

    Args:
        folder: stays where it is as long as it is whole: others may have mapped what is in it.
        whole: whether it is.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}-{token_hex(4)}")
    unfinished.mkdir()
    try:
        yield unfinished
        try:
            unfinished.replace(folder)
        except OSError:
            if not whole():  # else another process was faster, with the same files
                aside = folder.with_name(f"{unfinished.name}-damaged")
                folder.replace(aside)
                unfinished.replace(folder)
                shutil.rmtree(aside, ignore_errors=True)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _decode(source: Source, form: Form, skip_bad: bool, folder: Path) -> None:
    try:
        with taking_place(folder, lambda: mapped(folder) is not None) as unfinished:
            about = _write_pixels(source, form, skip_bad, unfinished / PIXELS)
            (unfinished / ABOUT).write_text(json.dumps(about))
    except OSError as error:
        raise UserError(f"{folder.parent} cannot be written ({error}): set GANLIT_CACHE to another folder.") from None


def _write_pixels(source: Source, form: Form, skip_bad: bool, file: Path) -> dict[str, Any]:
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
