"""From the word that a config gives as `source` to the source itself."""

from __future__ import annotations

import os
import stat
from difflib import get_close_matches
from pathlib import Path
from zipfile import is_zipfile

from ganlit.data.images.archive import Archive
from ganlit.data.images.arrays import digits
from ganlit.data.images.folder import Folder, Single
from ganlit.data.images.limits import tell_pillow
from ganlit.data.images.published import SETS, find_published
from ganlit.data.images.source import Labels, Source
from ganlit.errors import UserError, printable
from ganlit.records.paths import at_home

NAMES = {name.lower(): name for name in ("digits", *SETS)}


def open_source(source: str, split: str, root: Path, labels: Labels = True) -> Source:
    """A dataset by name, in any case, else a folder or a zip by path: `./digits` is a folder of that name.

    Args:
        source: "digits", a class of torchvision.datasets, or a path.
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
    if name:
        return find_published(name, split, root)
    shown = printable(source)
    if not source.strip():
        raise UserError("The source is empty: give a folder of images or a zip, or a dataset's name.")
    try:
        source.encode()
    except UnicodeEncodeError:
        raise UserError(f"{shown} is no UTF-8, and no configuration can name it: rename it, or link to it.") from None
    path = at_home(Path(source), "source")
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(_missing(shown, path)) from None
    except (OSError, ValueError) as error:  # ValueError: no path has a NUL
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{shown} cannot be read ({reason}): give a folder of images or a zip as source.") from None
    if stat.S_ISDIR(kind):
        return Folder(path, split)
    if stat.S_ISREG(kind):
        return Archive(path, split)
    raise UserError(f"{shown} is neither a folder nor a file: give a folder of images or a zip as source.")


def _missing(source: str, path: Path) -> str:
    if os.sep in source or path.suffix:
        return f"{source} does not exist: give a folder of images or a zip as source, or a dataset's name."
    close = get_close_matches(source.lower(), NAMES, n=1)
    advice = f"did you mean {NAMES[close[0]]}?" if close else "give digits, a class of torchvision.datasets, or a path."
    return f"There is no dataset or path {source}: {advice}"
