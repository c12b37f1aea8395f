"""A zip of images."""

from __future__ import annotations

from ganlit.data import archive
from ganlit.data.images.tree import Tree


class Archive(archive.Archive, Tree):
    """Every image of a zip."""
