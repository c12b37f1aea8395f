"""Recordings that have paths, in folders or inside a zip."""

from __future__ import annotations

from functools import cached_property

from ganlit.data import archive, folder, tree
from ganlit.data.audio.reading import SOUNDS, STRANGER
from ganlit.data.audio.source import Source, suffix_of
from ganlit.data.labels import LISTING

MOST = 2**33  # bytes of a file


class Tree(tree.Tree, Source):
    """All recordings of a tree; what is not called like one, such as transcripts, is passed over."""

    item = "recording"
    stranger = STRANGER
    most = MOST

    def wanted(self, path: str) -> bool:
        return suffix_of(path) in SOUNDS or path.replace("\\", "/").rpartition("/")[2] == LISTING

    @cached_property
    def present(self) -> list[str]:
        return [file for file in self.files if suffix_of(file) in SOUNDS]

    def member(self, index: int) -> str:
        return self.members[index]


class Folder(folder.Folder, Tree):
    """Every recording of a folder and its sub-folders."""

    @property
    def beside(self) -> list[str]:
        """What is passed over."""
        return [path for path in self._found if not self.wanted(path)]


class Single(folder.Single, Folder):
    """One file, as a folder with nothing beside it would be."""


class Archive(archive.Archive, Tree):
    """Every recording of a zip."""
