"""A folder of items, whose sub-folders are its classes."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import IO

from ganlit.data.labels import LISTING
from ganlit.data.source import BadItem, fingerprint_of
from ganlit.data.tree import Labelling, Tree
from ganlit.data.walk import Found, entries, walked
from ganlit.errors import UserError, printable

SPLITS = {"train", "val", "valid", "validation", "test"}


class Folder(Tree):
    """Every file of a folder and its sub-folders, sorted by path; hidden ones are passed over.

    Labels are those of dataset.json. Without one, sub-folders of the first level are the classes, sorted by name, and
    without any of these, there are no labels. A folder of splits (train, val, ...) stands for the one of `split`; with
    None it is a folder like any other.

    Raises:
        UserError: there is no such split, not a single file, or a folder that may not be read.
    """

    def __init__(self, folder: Path, split: str | None = "train") -> None:
        self.name = printable(folder.resolve().name)
        if not self.name:
            raise UserError(f"{folder} is all that there is here: give a folder of {self.item}s as source.")
        if split is not None and (chosen := self._chosen(folder, split)):
            folder, self.name = folder / chosen, f"{self.name}-{split}"
        self.folder = folder
        found = sorted(walked(folder), key=lambda each: each.path.split("/"))
        if unread := [each for each in found if each.unread]:
            others = f", one of {len(unread)}" if len(unread) > 1 else ""
            raise UserError(
                f"{self.place(unread[0].path)} is a folder that {unread[0].fault.reason}{others}: let it be read, or "
                f"move it out of {printable(str(folder))}."
            )
        self._found = {each.path: each for each in found}
        self.files = [path for path in self._found if self.wanted(path)]
        if not self.present:
            what = f"a folder without {self.item}s" if self._found else "an empty folder"
            raise UserError(
                f"{printable(str(folder))} is {what}: put {self.item}s into it, in a sub-folder for each class if any."
            )

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint_of(_as_it_lies(found) for found in self._found.values())

    def unlisted(self) -> Labelling | None:
        """Sub-folders; what lies beside them has no label."""
        shelf = {member: member.partition("/")[0] for member in self.present if "/" in member}
        classes = sorted(set(shelf.values()))
        if not classes:
            return None
        number = {name: number for number, name in enumerate(classes)}
        shown = tuple(map(printable, classes))
        without = f"lies beside the class folders ({shown[0]}, ...) and has no label"
        labels = {member: number[name] for member, name in shelf.items()}
        return Labelling(labels, shown, without=without, remedy="move it into one of them")

    def place(self, member: str) -> str:
        return printable(str(self.folder / member))

    def inside(self, member: str) -> Path | IO[bytes]:
        self._refuse(member, self.most)
        if not self._found[member].size:  # nor opened: some files of the system wait for something to tell
            raise BadItem(self.place(member), *self.stranger)
        return self.folder / member

    def content(self, member: str, most: float) -> bytes:
        self._refuse(member, most)
        return (self.folder / member).read_bytes()

    def _refuse(self, member: str, most: float) -> None:
        found = self._found[member]
        if found.fault is not None:
            raise BadItem(self.place(member), *found.fault)
        if found.size > most:
            size = f"has {found.size / 1e6:,.0f} MB, more than the {most / 1e6:,.0f} that are read"
            raise BadItem(self.place(member), "too large", size, "replace it")

    def _chosen(self, folder: Path, split: str) -> str | None:
        """The sub-folder that is a split; None where there are none.

        Raises:
            UserError: there is no such split, or more than splits.
        """
        shown = printable(str(folder))
        try:
            found = entries(folder)
        except OSError as error:
            remedy = "let it be read, or give another source"
            raise UserError(f"{shown} cannot be read ({error.strerror}): {remedy}.") from None
        names = [entry.name for entry in found]
        inner = {name for name in names if os.path.isdir(folder / name)}
        splits = {name.lower(): name for name in sorted(inner) if name.lower() in SPLITS}
        if LISTING in names or not splits or len(splits) < min(len(inner), 2):
            if split != "train":
                raise UserError(f"{shown} has no folder {split}: leave split out, or make one folder for each split.")
            return None
        if split.lower() not in splits:
            raise UserError(f"{shown} has no split {split}: set split to one of {', '.join(splits.values())}.")
        chosen = splits[split.lower()]
        if beside := [name for name in names if name not in splits.values() and (name in inner or self.wanted(name))]:
            raise UserError(
                f"{shown} holds {' and '.join(splits.values())}, and beside them {printable(', '.join(beside[:3]))}, "
                f"which nothing would be read from (labels are those of sub-folders or {LISTING}): give "
                f"{printable(str(folder / chosen))} as source, or move away what is beside."
            )
        return chosen


class Single(Folder):
    """One file, as a folder with nothing beside it would be."""

    def __init__(self, path: Path) -> None:
        self.name = printable(path.stem)
        self.folder = path.parent
        status = path.stat()
        self._found = {path.name: Found(path.name, status.st_size, status.st_mtime_ns)}
        self.files = [path.name]

    @property
    def listing(self) -> None:
        """It is an item, whatever it is called."""
        return None


def _as_it_lies(found: Found) -> tuple[str, int, int]:
    return found.path + (f" {found.fault.reason}" if found.fault else ""), found.size, found.changed
