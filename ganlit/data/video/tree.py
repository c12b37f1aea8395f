"""Clips that have paths, in folders or inside a zip: films, and folders of numbered pictures."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from ganlit.data import archive, folder, tree
from ganlit.data.labels import LISTING
from ganlit.data.objections import Objection
from ganlit.data.video.reading import FRAMES, MOVING, STRANGER
from ganlit.data.video.source import Source, suffix_of

MOST = 2**36  # bytes of a file
NUMBERED = re.compile(r"(.*?)(\d+)\.\w+", re.DOTALL)
JOINTS = "_-. "  # between what a clip is called and the number of a frame


class Shot(NamedTuple):
    """A picture whose name ends with a number."""

    folder: str
    called: str  # before the number
    number: int
    path: str

    @classmethod
    def of(cls, path: str) -> Shot | None:
        """None of what is none."""
        above, _, name = path.replace("\\", "/").rpartition("/")
        match = NUMBERED.fullmatch(name) if suffix_of(name) in FRAMES else None
        return None if match is None else cls(above, match[1].rstrip(JOINTS), int(match[2]), path)


class Tree(tree.Tree, Source):
    """All clips of a tree.

    A film is one, and so are the numbered pictures of a folder without films, in the order of their numbers; where
    they are called by several names before these, those of each. What else lies there is passed over.
    """

    item = "clip"
    stranger = STRANGER
    most = MOST

    def wanted(self, path: str) -> bool:
        named = path.replace("\\", "/").rpartition("/")[2]
        return suffix_of(path) in MOVING or Shot.of(path) is not None or named == LISTING

    @cached_property
    def sequences(self) -> dict[str, list[Shot]]:
        """Clips of numbered pictures, by what they are called, in order."""
        with_films = {path.replace("\\", "/").rpartition("/")[0] for path in self.files if suffix_of(path) in MOVING}
        shelves: dict[str, dict[str, list[Shot]]] = defaultdict(lambda: defaultdict(list))
        for path in self.files:
            shot = Shot.of(path)
            if shot is not None and shot.folder not in with_films:
                shelves[shot.folder][shot.called].append(shot)
        found = {}
        for above, clips in shelves.items():
            for called, shots in clips.items():
                member = above if len(clips) == 1 else f"{above}/{called}".strip("/")
                found[member] = sorted(shots, key=lambda shot: (shot.number, shot.path))
        return found

    @cached_property
    def present(self) -> list[str]:
        films = [file for file in self.files if suffix_of(file) in MOVING]
        return sorted([*films, *self.sequences], key=lambda member: member.split("/"))

    def member(self, index: int) -> str:
        return self.members[index]

    def shots(self, index: int) -> Sequence[str]:
        return [shot.path for shot in self.sequences.get(self.members[index], ())]

    def lacks(self, index: int) -> Objection | None:
        numbers = [shot.number for shot in self.sequences.get(self.members[index], ())]
        steps = [later - one for one, later in pairwise(numbers)]
        if 0 in steps:
            twice = numbers[steps.index(0)]
            return Objection("numbers", f"has two frames with the number {twice}", "leave one of them")
        if len(set(steps)) < 2:
            return None
        gap = numbers[steps.index(max(steps))]
        reason = f"lacks frames: behind number {gap} comes {gap + max(steps)}"
        return Objection("numbers", reason, "number the frames anew, or split the clip there")


class Folder(folder.Folder, Tree):
    """Every clip of a folder and its sub-folders."""

    @property
    def beside(self) -> list[str]:
        """What is passed over."""
        taken = {shot.path for shots in self.sequences.values() for shot in shots}
        return [path for path in self._found if path not in taken and suffix_of(path) not in MOVING]


class Single(folder.Single, Folder):
    """One film, as a folder with nothing beside it would be."""


class Archive(archive.Archive, Tree):
    """Every clip of a zip."""
