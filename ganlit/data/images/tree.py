"""Pictures that have paths, in folders or inside a zip."""

from __future__ import annotations

from ganlit.data import tree
from ganlit.data.images.limits import most_bytes
from ganlit.data.images.opening import Opened, opened
from ganlit.data.images.source import NO_IMAGE, Source


class Tree(tree.Tree, Source):
    """All pictures of a tree."""

    item = "image"
    stranger = NO_IMAGE

    @property
    def most(self) -> float:
        return most_bytes()

    def opened(self, index: int) -> Opened:
        return opened(self.at(index))
