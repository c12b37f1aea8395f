"""Texts in files that have paths, in folders or inside a zip."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path, PurePosixPath

from ganlit.data import archive, folder, tree
from ganlit.data.labels import LISTING, normal
from ganlit.data.text.source import BLANK, Files

TEXTS = {".txt", ".text", ".md"}
"""Suffixes of texts."""

MOST = 2**29  # bytes of a file


class Tree(tree.Tree, Files):
    """All texts of a tree; what is not called like one is passed over."""

    item = "text"
    stranger = BLANK
    most = MOST

    def wanted(self, path: str) -> bool:
        return suffix_of(path) in TEXTS or path.replace("\\", "/").rpartition("/")[2] == LISTING

    @cached_property
    def present(self) -> list[str]:
        return [file for file in self.files if suffix_of(file) in TEXTS]

    def stem(self, index: int) -> str:
        return PurePosixPath(normal(self.members[index])).with_suffix("").as_posix()


class Folder(folder.Folder, Tree):
    """Every text of a folder and its sub-folders."""


class Single(folder.Single, Folder):
    """One file, whose lines are texts, whatever it is called."""

    usual = "lines"

    @cached_property
    def present(self) -> list[str]:
        return self.files


class Archive(archive.Archive, Tree):
    """Every text of a zip."""


def suffix_of(path: str) -> str:
    """In lower case, with its dot."""
    return Path(path).suffix.lower()
