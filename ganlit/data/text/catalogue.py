"""From the word that a config gives as `source` to the source itself."""

from __future__ import annotations

from pathlib import Path
from zipfile import is_zipfile

from ganlit.data.listed import SUFFIXES
from ganlit.data.places import existing
from ganlit.data.source import Labels
from ganlit.data.text.published import SETS, find_published
from ganlit.data.text.source import Source
from ganlit.data.text.table import KEY, Table
from ganlit.data.text.tree import Archive, Folder, Single, suffix_of
from ganlit.errors import UserError, printable
from ganlit.records.paths import at_home

PLACES = "a text file, JSON lines, a CSV file, a folder of texts or a zip"


def open_source(source: str, split: str, root: Path, labels: Labels = True, key: str = KEY) -> Source:
    """A set by name, in any case, else a path: `./sotu` is a folder or file of that name.

    Args:
        source: one of `SETS`, or a path.
        split: "train", or what else the source has.
        root: where sets known by name lie.
        labels: whether they are wanted.
        key: of the texts in a table.

    Raises:
        UserError: there is nothing of that name, or not in this split.
    """
    root = at_home(root, "data.init_args.root")
    if (name := source.lower()) in SETS:
        found = find_published(name, split, root)
    else:
        path = existing(source, PLACES, {name: name for name in SETS}, ", ".join(SETS))
        found = Folder(path, split) if path.is_dir() else _file(path, split, key)
    found.labels = labels
    return found


def _file(path: Path, split: str, key: str) -> Source:
    if suffix_of(path.name) in SUFFIXES:
        return Table(path, split, key)
    if suffix_of(path.name) == ".zip" or is_zipfile(path):
        return Archive(path, split)
    if split != "train":
        raise UserError(
            f"{printable(str(path))} has no split {split}: leave split out, or give each split its own file."
        )
    return Single(path)
