"""A zip of images in StyleGAN's layout: any folders, and the labels in dataset.json."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from functools import cached_property, partial
from pathlib import Path, PureWindowsPath
from typing import IO

from ganlit.data.images.limits import most_bytes
from ganlit.data.images.opening import Opened, opened
from ganlit.data.images.source import DAMAGE, BadPicture, as_they_lie, fingerprint_of
from ganlit.data.images.tree import Tree
from ganlit.data.images.walk import hidden
from ganlit.errors import UserError, printable

ENCRYPTED = 0x1  # flag of a member
AT_ONCE = 2**26  # bytes of a picture that are unpacked before Pillow has a look
PIECE = 2**12  # bytes: a few packed ones may stand for many, whatever size a zip says


class Archive(Tree):
    """Every image of a zip, sorted by path, read without unpacking; hidden ones are passed over.

    Raises:
        UserError: the file is no zip that can be read, or holds no image.
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
            raise UserError(f"{shown} is a zip without images: put some into it.")

    @cached_property
    def files(self) -> list[str]:
        return sorted(self._counts)

    @cached_property
    def _counts(self) -> Counter[str]:
        names = [name for name in self._zip.namelist() if not name.endswith(("/", "\\"))]
        return Counter(name for name in names if not any(map(hidden, PureWindowsPath(name).parts)))

    def place(self, member: str) -> str:
        return printable(f"{self.path}: {member}")

    def image(self, member: str) -> Opened:
        parts = PureWindowsPath(member)  # which knows / and \\ alike
        if parts.anchor or ".." in parts.parts:
            reason = "is an absolute path or leads out of the zip"
            raise BadPicture(self.place(member), "unsafe path", reason, "rename it")
        if (times := self._counts[member]) > 1:
            raise BadPicture(self.place(member), "twice", f"is in the zip {times} times", "leave one of them")
        if self._zip.getinfo(member).file_size > AT_ONCE:
            return opened(self._opened(member, most_bytes()))
        return opened(io.BytesIO(self.content(member, most_bytes())))

    def content(self, member: str, most: float) -> bytes:
        with self._opened(member, most) as file:
            return b"".join(iter(partial(file.read, PIECE), b""))

    def _opened(self, member: str, most: float) -> IO[bytes]:
        info, again = self._zip.getinfo(member), "zip it anew, deflated and without a password"
        if info.flag_bits & ENCRYPTED:
            raise BadPicture(self.place(member), "encrypted", "is encrypted", again, spare=False)
        if info.file_size > most:
            size = f"has {info.file_size / 1e6:,.0f} MB, more than the {most / 1e6:,.0f} that are read"
            raise BadPicture(self.place(member), "too large", size, "replace it")
        try:
            return self._zip.open(info)
        except NotImplementedError as error:
            raise BadPicture(self.place(member), "packing", f"cannot be unpacked ({error})", again, False) from None
