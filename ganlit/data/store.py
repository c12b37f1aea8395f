"""Datasets, decoded once: their items in a file that every process maps, so that they share its pages."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple

import torch
from lightning.pytorch.utilities import rank_zero_info

from ganlit.contracts import Reference
from ganlit.data.ragged import Ragged
from ganlit.errors import UserError
from ganlit.records.cache import alone, room
from ganlit.records.durable import DAMAGE, replacing

ITEMS, ABOUT = "pixels", "about.json"  # the former is called after those that were the first to be stored
NAME = 100  # characters of a dataset's name in that of its folder: filesystems know no longer ones than 255
SLICES, SLICE = 256, 2**20  # of a file of items, that its seal looks at: all of what has 256 MiB or less


class Stored(NamedTuple):
    """A decoded dataset and what was left out of it."""

    reference: Reference
    skipped: list[tuple[str, str]]  # title and reason
    folder: Path
    about: dict[str, Any]  # all of about.json: a modality may keep more there, such as a vocabulary


def stored(kind: str, name: str, key: str, write: Callable[[Path], dict[str, Any]]) -> Stored:
    """A dataset mapped from the cache; written into it at the first time, and where it is not as it was written.

    Each has a folder of its own in $GANLIT_CACHE/KIND (~/.cache/ganlit/KIND): one file holds the items [N, ...] and
    about.json the rest.

    Args:
        kind: of data, such as "images".
        name: of the dataset.
        key: a hash of all that its items depend on.
        write: writes the items into a file, and gives what about.json shall hold: name, shape, dtype (uint8 where it is
            missing), digest, classes, labels (or None) and skipped; lengths of items [sum of these, ...] that are not
            all alike, see `Ragged`; and perhaps notes, sentences for who trains on it.

    Raises:
        UserError: the cache cannot be written.
    """
    folder = room(kind) / (re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)[:NAME] + "-" + key)
    found = mapped(folder)
    if found is None:
        with alone(folder, rank_zero_info):
            found = mapped(folder)  # by whom we have waited for
            if found is None:
                _fill(folder, write)
                found = mapped(folder)
    return found


def mapped(folder: Path) -> Stored | None:
    """The dataset in a folder, if it is there and as it was written."""
    file = folder / ITEMS
    try:
        about = json.loads((folder / ABOUT).read_text())
        if about.pop("seal") != seal(folder.name, file, about):
            return None
        size, dtype = torch.Size(about["shape"]), getattr(torch, about.get("dtype", "uint8"))
        # A private mapping: pages are shared until written to, and writing to them leaves the file alone.
        tensor = torch.from_file(str(file), shared=False, size=size.numel(), dtype=dtype).view(size)
        items = tensor if about.get("lengths") is None else Ragged(tensor, about["lengths"])
        labels = torch.tensor(about["labels"] or [0] * len(items))
        reference = Reference(about["name"], about["digest"], items, labels, tuple(about["classes"]))
        return Stored(reference, [(title, reason) for title, reason in about["skipped"]], folder, about)
    except DAMAGE:
        return None


def seal(name: str, items: Path, about: dict[str, Any]) -> str:
    """A hash that tells whether a dataset is the one that was written.

    It takes half a second at most: of a file beyond 256 MiB it looks at slices that lie evenly in it.

    Args:
        name: of the folder: datasets may not be exchanged either.
        items: the file.
        about: all that is known beside it, as JSON gives it back.
    """
    digest = blake2b(json.dumps([name, about], sort_keys=True).encode(), digest_size=16)
    with items.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest.update(str(size).encode())
        for number in range(min(SLICES, -(-size // SLICE))):
            file.seek(number * max(SLICE, (size - SLICE) // (SLICES - 1)))
            digest.update(file.read(SLICE))
    return digest.hexdigest()


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


def _fill(folder: Path, write: Callable[[Path], dict[str, Any]]) -> None:
    try:
        with taking_place(folder, lambda: mapped(folder) is not None) as unfinished:
            about = json.loads(json.dumps(write(unfinished / ITEMS)))
            _flush(unfinished / ITEMS)
            about["seal"] = seal(folder.name, unfinished / ITEMS, about)
            with replacing(unfinished / ABOUT) as partial:
                partial.write_text(json.dumps(about))
    except OSError as error:
        raise UserError(f"{folder.parent} cannot be written ({error}): set GANLIT_CACHE to another folder.") from None


def _flush(file: Path) -> None:
    """Has a file on the disk: after a power failure, one that is not may have its size and nothing in it."""
    with file.open("rb") as content:
        os.fsync(content.fileno())
