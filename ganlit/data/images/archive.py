"""A zip of images in StyleGAN's layout: any folders, and the labels in dataset.json."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cached_property
from pathlib import Path, PureWindowsPath
from typing import Any

from PIL import Image

from ganlit.data.images.source import BadPicture, Source, fingerprint_of
from ganlit.errors import UserError

LABELS = "dataset.json"


class Archive(Source):
    """Every image of a zip, sorted by path, read without unpacking.

    dataset.json holds `{"labels": [["00000/img00000000.png", 5], ...]}`, with classes numbered from 0 without gaps, or
    null where there are none; an optional `"classes": ["airplane", ...]` names them.

    Raises:
        UserError: the file is no zip; when first read, it holds no image, or its dataset.json is malformed.
    """

    def __init__(self, path: Path, split: str = "train") -> None:
        if split != "train":
            raise UserError(f"{path} has no split {split}: leave split out, and give each split a zip of its own.")
        if not zipfile.is_zipfile(path):
            raise UserError(f"{path} is neither a folder nor a zip that can be read: give one of them as source.")
        self.path = path
        self.name = path.stem
        self.fingerprint = fingerprint_of([path])

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(self.path)

    @cached_property
    def _document(self) -> dict[str, Any]:
        if LABELS not in self._zip.namelist():
            return {}
        try:
            document = json.loads(self._zip.read(LABELS))
        except (ValueError, zipfile.BadZipFile) as error:
            raise UserError(f"{self.path}: {LABELS} is not JSON ({error}): write it anew.") from None
        if not isinstance(document, dict) or not isinstance(document.get("labels"), list | None):
            raise UserError(f'{self.path}: {LABELS} must hold {{"labels": [["member.png", 0], ...]}} or null labels.')
        return document

    @cached_property
    def _labels(self) -> dict[str, Any] | None:
        """The class of every member listed, not yet checked; None where the set is unlabelled."""
        entries = self._document.get("labels")
        for entry in entries or []:
            if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)):
                raise UserError(f'{self.path}: {LABELS} has the entry {entry!r} where ["member.png", 0] is meant.')
        return dict(entries) if entries else None

    @cached_property
    def members(self) -> list[str]:
        """The images that are there, and those that dataset.json lists."""
        members = sorted({name for name in self._zip.namelist() if _is_picture(name)} | set(self._labels or {}))
        if not members:
            raise UserError(f"{self.path} is a zip without images: put some into it.")
        return members

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(map(str, self._document.get("classes", ())))

    @cached_property
    def _class_count(self) -> int:
        return len(self.classes) or len({label for label in (self._labels or {}).values() if _is_number(label)})

    def __len__(self) -> int:
        return len(self.members)

    def title(self, index: int) -> str:
        return f"{self.path}: {self.members[index]}"

    def read(self, index: int) -> tuple[Image.Image, int | None]:
        member = self.members[index]
        if PureWindowsPath(member).anchor or ".." in PureWindowsPath(member).parts:  # these read / and \\ alike
            raise self._bad(index, "unsafe path", "is an absolute path or leads out of the zip", "rename it")
        label = self._label(index)
        try:
            content = self._zip.read(member)
        except KeyError:
            reason = f"is listed in {LABELS} but not in the zip"
            raise self._bad(index, "missing", reason, f"add it, or drop it from {LABELS}") from None
        return Image.open(io.BytesIO(content)), label

    def _label(self, index: int) -> int | None:
        if self._labels is None:
            return None
        member, count = self.members[index], self._class_count
        if member not in self._labels:
            raise self._bad(index, "no label", f"has no label in {LABELS}", "add it")
        label = self._labels[member]
        if not _is_number(label) or label >= count:
            reason = f"has the label {label!r} in {LABELS}, which has {count} classes"
            raise self._bad(index, "label out of range", reason, f"number the classes 0 to {count - 1}")
        return label

    def _bad(self, index: int, topic: str, reason: str, remedy: str) -> BadPicture:
        return BadPicture(self.title(index), topic, reason, remedy)


def _is_picture(member: str) -> bool:
    path = PureWindowsPath(member)
    return not (member.endswith("/") or member == LABELS or path.name.startswith(".") or "__MACOSX" in path.parts)


def _is_number(label: Any) -> bool:
    return isinstance(label, int) and not isinstance(label, bool) and label >= 0
