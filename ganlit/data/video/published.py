"""Sets of clips by name, as they lie on disk after their publishers handed them out: no program can fetch them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ganlit.data.tree import Labelling
from ganlit.data.video.tree import Folder
from ganlit.errors import UserError, printable

LISTS = {"train": "trainlist01.txt", "test": "testlist01.txt"}
"""Of UCF-101, the first of its three splits; other files are of both."""

Chosen = Callable[[str], bool]


class Set(NamedTuple):
    """A set as its publisher hands it out."""

    folders: tuple[str, ...]  # in which it may lie below the root
    splits: dict[str, str]  # to the folder inside it
    labelled: bool  # whether the folders in it are classes
    place: str  # where it can be had
    choose: Callable[[Path, str], Chosen] = lambda folder, split: lambda path: True  # from where it lies and a split


def listed(folder: Path, split: str) -> Chosen:
    """What a list of UCF-101 has, which lies in it or beside it.

    Raises:
        UserError: there is no such list.
    """
    if split not in LISTS:
        return lambda path: True
    places = [base / "ucfTrainTestlist" / LISTS[split] for base in (folder, folder.parent)]
    there = next((place for place in places if place.is_file()), None)
    if there is None:
        raise UserError(f"{printable(str(places[1]))} is not there: put the lists of ucf101 there, or set split: all.")
    members = {line.split()[0] for line in there.read_text().splitlines() if line.strip()}
    return lambda path: path in members


SETS: dict[str, Set] = {
    "ucf101": Set(
        ("UCF-101", "UCF101/UCF-101", "ucf101"),
        {"train": "", "test": "", "all": ""},
        True,
        "https://www.crcv.ucf.edu/data/UCF101.php",
        listed,
    ),
    "sky_timelapse": Set(
        ("sky_timelapse", "SkyTimelapse"),
        {"train": "sky_train", "test": "sky_test"},
        False,
        "https://github.com/weixiong-ur/mdgan",
    ),
    "faceforensics": Set(
        ("faceforensics", "FaceForensics"),
        {"train": "train", "val": "val", "test": "test"},
        False,
        "https://github.com/ondyari/FaceForensics",
    ),
}


class Published(Folder):
    """A set that lies in a folder.

    Args:
        name: of the set, and its split.
        folder: where it lies.
        chosen: which paths are wanted.
        labelled: whether the folders in it are classes.
    """

    def __init__(self, name: str, folder: Path, chosen: Chosen, labelled: bool) -> None:
        self.chosen = chosen
        self.labelled = labelled
        super().__init__(folder, None)
        self.name = name

    def wanted(self, path: str) -> bool:
        return super().wanted(path) and self.chosen(path)

    def unlisted(self) -> Labelling | None:
        return super().unlisted() if self.labelled else None


def find_published(name: str, split: str, root: Path) -> Published:
    """A set by name, from below a folder.

    Raises:
        UserError: it has no such split, or is not there.
    """
    known = SETS[name]
    if split not in known.splits:
        raise UserError(f"{name} has no split {split}: set split to one of {', '.join(known.splits)}.")
    places = [root / folder / known.splits[split] for folder in known.folders]
    there = next((place for place in places if place.is_dir()), None)
    if there is None:
        raise UserError(
            f"{name} is not in {printable(str(root))}: get it from {known.place}, and unpack it as "
            f"{printable(str(places[0]))}, or set data.init_args.root to where {known.folders[0]} lies."
        )
    return Published(f"{name}-{split}", there, known.choose(there, split), known.labelled)
