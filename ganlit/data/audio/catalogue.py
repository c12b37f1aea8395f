"""From the word that a config gives as `source` to the source itself."""

from __future__ import annotations

from pathlib import Path
from zipfile import is_zipfile

from ganlit.data.audio.manifest import Manifest
from ganlit.data.audio.published import SETS, find_published
from ganlit.data.audio.source import Source, suffix_of
from ganlit.data.audio.tree import Archive, Folder, Single
from ganlit.data.listed import SUFFIXES
from ganlit.data.places import existing
from ganlit.data.source import Labels
from ganlit.records.paths import at_home

PLACES = "a folder of recordings, a zip, or a list of them in CSV or JSON lines"


def open_source(source: str, split: str, root: Path, labels: Labels = True) -> Source:
    """A set by name, in any case, else a folder, a zip or a list by path: `./sc09` is a folder of that name.

    Args:
        source: one of `SETS`, or a path.
        split: "train", or what else the source has.
        root: where sets known by name lie or are fetched to.
        labels: whether they are wanted.

    Raises:
        UserError: there is nothing of that name, or not in this split.
    """
    found = _found(source, split, at_home(root, "data.init_args.root"))
    found.labels = labels
    return found


def open_all(path: Path, labels: Labels) -> Source:
    """Every recording of a folder, whatever its sub-folders are called, of a zip or a list, or the one of a file.

    Args:
        path: of what is there.
        labels: whether they are wanted.
    """
    found = Folder(path, split=None) if path.is_dir() else _file(path)
    found.labels = labels
    return found


def _found(source: str, split: str, root: Path) -> Source:
    if (name := source.lower()) in SETS:
        return find_published(name, split, root)
    path = existing(source, PLACES, {name: name for name in SETS}, ", ".join(SETS))
    return Folder(path, split) if path.is_dir() else _file(path, split)


def _file(path: Path, split: str = "train") -> Source:
    if suffix_of(path.name) in SUFFIXES:
        return Manifest(path, split)
    if suffix_of(path.name) == ".zip" or is_zipfile(path):
        return Archive(path, split)
    return Single(path)
