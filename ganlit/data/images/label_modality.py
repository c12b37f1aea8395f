"""Maps of labels as the house knows them: numbers of classes in files and stored, a channel for each in networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from ganlit.data.images.label_maps import NONE, numbers, one_hot, painted
from ganlit.data.images.modality import ImageModality


class LabelMaps(ImageModality):
    """Stored as uint8 [B, 1, H, W], and seen by networks as float [B, labels, H, W]; see `Form.labels`.

    Args:
        labels: how many classes there are.
    """

    def __init__(self, labels: int = NONE) -> None:
        super().__init__()
        self.labels = labels

    def to_network(self, stored: Tensor) -> Tensor:
        return one_hot(stored, self.labels)

    def to_stored(self, output: Tensor) -> Tensor:
        return numbers(output)

    def for_extractor(self, stored: Tensor) -> Tensor:
        return painted(stored)

    def glance(self, stored: Tensor) -> Tensor:
        """In colours."""
        return super().glance(painted(stored))

    def show(self, rows: Sequence[Tensor], columns: int, path: Path) -> list[Path]:
        """In colours; where some have such already, as `glance` gives them, the others are no maps, but grey images."""
        stored = all(maps.shape[1] == 1 for maps in rows)
        return super().show([painted(maps) for maps in rows] if stored else rows, columns, path)
