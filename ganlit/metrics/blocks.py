"""Matrices of all pairs, block by block: so their memory is bounded for any number of features."""

from __future__ import annotations

from collections.abc import Iterator

SIDE = 512  # features on each side of a block


def slices(count: int) -> Iterator[slice]:
    """The whole range in pieces of a block's side."""
    return (slice(start, start + SIDE) for start in range(0, count, SIDE))
