"""A folder of images, whose sub-folders are its classes."""

from __future__ import annotations

from ganlit.data import folder
from ganlit.data.images.tree import Tree


class Folder(folder.Folder, Tree):
    """Every file of a folder and its sub-folders."""


class Single(folder.Single, Folder):
    """One file, as a folder with nothing beside it would be."""
