"""A zip of items in StyleGAN's layout: any folders, and the labels in dataset.json."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from functools import cached_property, partial
from itertools import islice
from pathlib import Path, PureWindowsPath
from typing import IO

from ganlit.data.source import DAMAGE, BadItem, as_they_lie, fingerprint_of
from ganlit.data.tree import Tree
from ganlit.data.walk import hidden
from ganlit.errors import UserError, printable

ENCRYPTED = 0x1  # flag of a member
AT_ONCE = 2**26  # bytes of an item that are unpacked before a library has a look
PIECE = 2**12  # bytes: a few packed ones may stand for many, whatever size a zip says


def members_of(path: Path, most: int) -> list[str]:
    """Paths inside a zip, so many at most; none where it cannot be read."""
    try:
        with zipfile.ZipFile(path) as packed:
            names = (name for name in packed.namelist() if not name.endswith(("/", "\\")))
            return [*islice(names, most)]
    except DAMAGE:
        return []


class Archive(Tree):
    """Every item of a zip, sorted by path, read without unpacking; hidden ones are passed over.

    Raises:
        UserError: the file is no zip that can be read, or holds no item.
    """

    def __init__(self, path: Path, split: str = "train") -> None:
        shown = printable(str(path))
        if split != "train":
            raise UserError(f"{shown} has no split {split}: leave split out, and give each split a zip of its own.")
        self.path = path
        self.name = printable(path.stem)
        try:
            self.fingerprint = fingerprint_of(as_they_lie(path))
            with path.open("rb"):
                self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise UserError(f"{shown} cannot be read ({error.strerror or error}): let it be read.") from None
        except DAMAGE as error:
            raise UserError(
                f"{shown} is neither a folder nor a zip that can be read ({error}): give one of them as source, whole."
            ) from None
        if not self.present:
            raise UserError(f"{shown} is a zip without {self.item}s: put some into it.")

    @cached_property
    def files(self) -> list[str]:
        return sorted(filter(self.wanted, self._counts))

    @cached_property
    def _counts(self) -> Counter[str]:
        names = [name for name in self._zip.namelist() if not name.endswith(("/", "\\"))]
        return Counter(name for name in names if not any(map(hidden, PureWindowsPath(name).parts)))

    def place(self, member: str) -> str:
        return printable(f"{self.path}: {member}")

    def inside(self, member: str) -> Path | IO[bytes]:
        parts = PureWindowsPath(member)  # which knows / and \\ alike
        if parts.anchor or ".." in parts.parts:
            reason = "is an absolute path or leads out of the zip"
            raise BadItem(self.place(member), "unsafe path", reason, "rename it")
        if (times := self._counts[member]) > 1:
            raise BadItem(self.place(member), "twice", f"is in the zip {times} times", "leave one of them")
        if self._zip.getinfo(member).file_size > AT_ONCE:
            return self._opened(member, self.most)
        return io.BytesIO(self.content(member, self.most))

    def content(self, member: str, most: float) -> bytes:
        with self._opened(member, most) as file:
            return b"".join(iter(partial(file.read, PIECE), b""))

    def _opened(self, member: str, most: float) -> IO[bytes]:
        info, again = self._zip.getinfo(member), "zip it anew, deflated and without a password"
        if info.flag_bits & ENCRYPTED:
            raise BadItem(self.place(member), "encrypted", "is encrypted", again, spare=False)
        if info.file_size > most:
            size = f"has {info.file_size / 1e6:,.0f} MB, more than the {most / 1e6:,.0f} that are read"
            raise BadItem(self.place(member), "too large", size, "replace it")
        try:
            return self._zip.open(info)
        except NotImplementedError as error:
            raise BadItem(self.place(member), "packing", f"cannot be unpacked ({error})", again, False) from None
