"""From the word that a config gives as `source` to the source itself."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from ganlit.data.images.archive import Archive
from ganlit.data.images.arrays import digits
from ganlit.data.images.folder import Folder
from ganlit.data.images.published import SETS, find_published
from ganlit.data.images.source import Source
from ganlit.errors import UserError

NAMES = {name.lower(): name for name in ("digits", *SETS)}


def open_source(source: str, split: str, root: Path) -> Source:
    """A dataset by name, in any case, else a folder or a zip by path: `./digits` is a folder of that name.

    Args:
        source: "digits", a class of torchvision.datasets, or a path.
        split: "train", or what else the source has.
        root: where datasets known by name lie or are downloaded to.

    Raises:
        UserError: there is nothing of that name, or not in this split.
    """
    name, path = NAMES.get(source.lower()), Path(source).expanduser()
    if name == "digits":
        return digits(split)
    if name:
        return find_published(name, split, root)
    if path.is_dir():
        return Folder(path, split)
    if path.is_file():
        return Archive(path, split)
    if os.sep in source or path.suffix:
        raise UserError(f"{source} does not exist: give a folder of images or a zip as source, or a dataset's name.")
    close = difflib.get_close_matches(source.lower(), NAMES, n=1)
    advice = f"did you mean {NAMES[close[0]]}?" if close else "give digits, a class of torchvision.datasets, or a path."
    raise UserError(f"There is no dataset or path {source}: {advice}")
