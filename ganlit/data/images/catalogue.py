"""From the word that a config gives as `source` to the source itself."""

from __future__ import annotations

from pathlib import Path
from zipfile import is_zipfile

from ganlit.data.images.archive import Archive
from ganlit.data.images.arrays import digits
from ganlit.data.images.folder import Folder, Single
from ganlit.data.images.limits import tell_pillow
from ganlit.data.images.published import SETS, find_published
from ganlit.data.images.shapes import Shapes
from ganlit.data.images.source import Source
from ganlit.data.places import existing
from ganlit.data.source import Labels
from ganlit.records.paths import at_home

NAMES = {name.lower(): name for name in ("digits", "shapes", *SETS)}


def open_source(source: str, split: str, root: Path, labels: Labels = True) -> Source:
    """A dataset by name, in any case, else a folder or a zip by path: `./digits` is a folder of that name.

    Args:
        source: "digits", "shapes", a class of torchvision.datasets, or a path.
        split: "train", or what else the source has.
        root: where datasets known by name lie or are downloaded to.
        labels: whether they are wanted, as they are or numbered anew.

    Raises:
        UserError: there is nothing of that name, or not in this split.
    """
    tell_pillow()
    found = _found(source, split, at_home(root, "data.init_args.root"))
    found.labels = labels
    return found


def open_all(path: Path, labels: Labels) -> Source:
    """Every picture of a folder, whatever its sub-folders are called, or of a zip, or the one that a file is.

    Args:
        path: of what is there.
        labels: whether they are wanted.
    """
    tell_pillow()
    if path.is_dir():
        found: Source = Folder(path, split=None)
    else:
        found = Archive(path) if path.suffix.lower() == ".zip" or is_zipfile(path) else Single(path)
    found.labels = labels
    return found


def _found(source: str, split: str, root: Path) -> Source:
    name = NAMES.get(source.lower())
    if name == "digits":
        return digits(split)
    if name == "shapes":
        return Shapes(split)
    if name:
        return find_published(name, split, root)
    path = existing(source, "a folder of images or a zip", NAMES, "digits, shapes, a class of torchvision.datasets")
    return Folder(path, split) if path.is_dir() else Archive(path, split)
