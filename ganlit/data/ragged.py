"""Items of unequal length, one after another in one tensor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Ragged:
    """Recordings, clips or texts: what is stored of items that differ along their first dimension.

    Args:
        flat: [sum of the lengths, ...] all of them, in memory or mapped.
        lengths: of each [N].
    """

    def __init__(self, flat: Tensor, lengths: Sequence[int]) -> None:
        self.flat = flat
        self.lengths = torch.tensor(lengths, dtype=torch.int64)
        self.starts = self.lengths.cumsum(0) - self.lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, place: int) -> Tensor:
        """One item [length, ...], as it lies there."""
        return self.flat.narrow(0, int(self.starts[place]), int(self.lengths[place]))

    def chosen(self, places: Tensor) -> Ragged:
        """Some of the items [n], which stay where they are."""
        some = Ragged(self.flat, self.lengths[places].tolist())
        some.starts = self.starts[places]
        return some

    @property
    def nbytes(self) -> int:
        return self.flat.nbytes

    @property
    def dtype(self) -> torch.dtype:
        return self.flat.dtype

    def windows(self, places: Tensor, starts: Tensor, length: int, every: int = 1) -> Tensor:
        """A copied piece of each of some items; beyond the end of one there is nothing but zeros.

        Args:
            places: [B] of the items.
            starts: [B] of the pieces in them, not negative.
            length: of the pieces.
            every: so many-th entry is taken.

        Returns:
            [B, length, ...].
        """
        found = self.flat.new_zeros(len(places), length, *self.flat.shape[1:])
        for row, place, start in zip(found, places.tolist(), starts.tolist(), strict=True):
            piece = self[place][start : start + length * every : every]
            row[: len(piece)] = piece
        return found


def lengths_of(length: int, piece: int | None) -> list[int]:
    """Of the pieces of an item: as many of one length as it holds, and what is left of it to the last."""
    if piece is None or length < 2 * piece:
        return [length]
    return [piece] * (length // piece - 1) + [piece + length % piece]
