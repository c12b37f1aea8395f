"""A source: a numbered list of items with labels, not yet decoded."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from ganlit.data.objections import Objected, Objection
from ganlit.errors import UserError

Labels = bool | Literal["renumber"]
"""Whether labels are wanted, as they are or numbered anew."""

# What libraries raise on damaged data, by the formats' own decoders.
DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError, RuntimeError, MemoryError),
    *(LookupError, ArithmeticError, TypeError, AttributeError, AssertionError),
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)


class BadItem(UserError):
    """One item that cannot be used; the `topic` groups reports.

    The remedy is kept apart because another one is to leave the item out, which is only said of a `spare` one.
    """

    def __init__(self, title: str, topic: str, reason: str, remedy: str, spare: bool = True) -> None:
        instead = ", or set skip_bad: true to leave such out" if spare else ""
        super().__init__(f"{title} {reason}: {remedy}{instead}.")
        self.title = title
        self.topic = topic
        self.reason = reason
        self.remedy = remedy
        self.spare = spare


class NoLabel(BadItem):
    """An item without a label where others have one."""

    def __init__(self, title: str, reason: str, remedy: str) -> None:
        super().__init__(title, "no label", reason, f"{remedy}, or set labels: false to do without", spare=False)


class BadLabels(UserError):
    """Labels that are not the numbers of classes.

    Attributes:
        instead: the option `labels` with which the source can be used.
    """

    def __init__(self, sentence: str, instead: Labels = False) -> None:
        anew = "set labels: renumber to number the classes anew, or " if instead == "renumber" else "mend it, or set "
        super().__init__(f"{sentence}: {anew}labels: false to do without.")
        self.instead = instead


class Source(ABC):
    """Where items come from.

    Attributes:
        name: dataset and split, such as "cifar10-train": part of every protocol id.
        fingerprint: changes whenever the files do.
        labels: whether labels are wanted.
    """

    name: str
    fingerprint: str
    labels: Labels = True

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; empty where there are no labels, or none but their numbers."""
        return ()

    @abstractmethod
    def __len__(self) -> int:
        """How many items.

        Raises:
            UserError: there is none, or the labels are those of no classes.
        """

    @abstractmethod
    def title(self, index: int) -> str:
        """What a message calls an item."""

    @abstractmethod
    def label(self, index: int) -> int | None:
        """Its class: None for every item where the source has no labels.

        Raises:
            NoLabel: it has none, and others have one.
        """


def trouble(error: Exception) -> Objection:
    """What an item that cannot be read suffers from."""
    if isinstance(error, Objected):
        return error.objection
    if isinstance(error, MemoryError):
        return Objection("too large", "needs more memory than there is", "shrink it")
    if isinstance(error, OSError) and error.errno is not None:  # of the file, not of what is in it
        return Objection("unreadable", f"cannot be read ({error.strerror})", "let it be read", spare=False)
    said = str(error).rstrip(".") or type(error).__name__
    return Objection("damaged", f"is truncated or damaged ({said})", "replace it")


def fingerprint_of(files: Iterable[tuple[str, int, int]]) -> str:
    """A hash of files' paths, sizes and times of modification."""
    digest = blake2b(digest_size=16)
    for file in files:
        digest.update(repr(file).encode())
    return digest.hexdigest()


def as_they_lie(*files: Path) -> list[tuple[str, int, int]]:
    """Of each file what its fingerprint is taken from."""
    found = [(str(file.resolve()), file.stat()) for file in files]
    return [(path, status.st_size, status.st_mtime_ns) for path, status in found]
