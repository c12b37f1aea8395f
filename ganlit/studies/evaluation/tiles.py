"""Large items through a network in tiles that overlap: no seam is seen, and memory holds a band of them at a time."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain, product
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ganlit.contracts import Modality
from ganlit.errors import UserError, within

Network = Callable[[Tensor], Tensor]
"""Items [B, C, *sides] in, what becomes of them out: float [B, D, *sides], with longer sides perhaps, on the CPU."""

Side = int | Literal["whole"] | None

Scale = int | Fraction
"""Sides of an answer over those of its source."""

SHARE = 16  # of a tile's side is the overlap, unless it is told or the network says how far it looks,
LONG = 6  # overlaps at least are then in the usual side, so that half of each tile counts
MOST = 2**20  # steps of a side


class Axis(NamedTuple):
    """How one axis of an item is cut."""

    length: int  # of the item, in steps; and so are the others
    side: int  # of a tile
    starts: list[int]  # of the tiles, in order; the last ends where the item does, or beyond
    fade: int  # over which one tile takes over from the one before; 0 for at once

    @property
    def end(self) -> int:
        return self.starts[-1] + self.side

    def seen(self, tile: int) -> Tensor:
        """The places [side] of the item that a tile sees: reflected beyond its end, or repeated where there is one."""
        period = 2 * self.length - 2
        places = torch.arange(self.starts[tile], self.starts[tile] + self.side) % max(period, 1)
        return torch.minimum(places, period - places)

    def weight(self, tile: int, scale: Scale) -> Tensor:
        """How much [side * scale] a tile's answer counts along it: of all tiles together it is one at every place."""
        # In float64: each tile counts steps from its own start, and float32 has too few digits for all to agree.
        steps = (torch.arange(scaled(self.side, scale)).double() + 0.5) / float(scale) + self.starts[tile]
        return (self._risen(tile, steps) - self._risen(tile + 1, steps)).float()

    def _risen(self, tile: int, steps: Tensor) -> Tensor:
        """How far a tile has taken over from the one before: by half in the middle of what both see."""
        if tile in (0, len(self.starts)):
            return torch.full_like(steps, float(tile == 0))
        middle = (self.starts[tile - 1] + self.side + self.starts[tile]) / 2
        return ((steps - middle) / self.fade + 0.5).clamp(0, 1) if self.fade else (steps > middle).to(steps)


class Tiling(NamedTuple):
    """How items [B, C, *sides] are cut for a network, in steps of the source.

    Where tiles meet, each sees `overlap` steps beyond those that count, and over as many one fades into the other. What
    a convolutional network gives is then what it gives of the whole, if no place of its answer depends on one farther
    away than the overlap: tiles lie as its strides do, and those at the border of an item end with it. A network that
    looks at all that it is shown, by instance norm or attention, makes tiles that differ in brightness and contrast:
    fading hides where they meet, but far apart they stay as different as they are.
    """

    side: int | None  # of a tile, at most; None for whole items
    overlap: int = 0
    multiple: int = 1  # of which the network needs its sides to be
    scale: Scale = 1
    fading: bool = True  # otherwise each place is that of one tile alone, as codes have to be

    def axis(self, length: int) -> Axis:
        """As few tiles as there can be, all of one side, and evenly spread."""
        whole, shared = -(-length // self.multiple), -(-3 * self.overlap // self.multiple)  # counts of multiples
        side = whole if self.side is None else min(whole, self.side // self.multiple)
        hops = -(-(whole - side) // max(side - shared, 1))
        side = -(-(whole + hops * shared) // (hops + 1))
        starts = [hop * (whole - side) // max(hops, 1) * self.multiple for hop in range(hops + 1)]
        return Axis(length, side * self.multiple, starts, self.overlap if self.fading else 0)

    def count(self, source: Tensor) -> int:
        """How many tiles a source has."""
        return math.prod(len(self.axis(length).starts) for length in source.shape[2:])


def takes_any_size(network: nn.Module) -> bool:
    """Whether a network says of what the sides of its items must be multiples, be it of one."""
    return isinstance(getattr(network, "multiple", None), int)


def tiling(network: nn.Module, kind: Modality, side: Side, overlap: int | None) -> Tiling:
    """How items are cut for a network that says what it needs: `multiple` if it takes any size, and `scale`.

    By its `reach` it says how far it looks around each place of what it takes.

    Args:
        network: that is asked.
        kind: of what it takes, which says how items are usually cut.
        side: of a tile; "whole" for none; by default the usual one, of networks that take any size.
        overlap: see `Tiling`; by default as far as the network looks, or, where it does not say, a share of the side.

    Raises:
        UserError: no tile can be cut so.
    """
    multiple, scale = (getattr(network, name, None) for name in ("multiple", "scale"))
    multiple = kind.step * (multiple if isinstance(multiple, int) else 1)
    declared = {"multiple": multiple, "scale": scale // kind.step if isinstance(scale, int) else 1}
    reach = getattr(network, "reach", None)
    needed = reach * kind.step + kind.reach if isinstance(reach, int) else None
    if side is None and takes_any_size(network) and kind.tile is not None:
        side = max(kind.tile, 2 * multiple, LONG * (needed or 0))
    if side in (None, "whole"):
        if overlap is not None:
            raise UserError(f"--overlap is {overlap}, but items go through whole: add --tile, or leave it out.")
        return Tiling(None, **declared)
    if kind.tile is None:
        raise UserError(f"--tile is {side}, but items of this kind go through whole: leave it out.")
    within("--tile", side, least=multiple, most=MOST)
    within("--overlap", overlap, least=0, most=MOST, optional=True)
    side = side // multiple * multiple
    if overlap is None and needed is not None and side - multiple < 3 * needed:
        least = (-(-3 * needed // multiple) + 1) * multiple
        raise UserError(
            f"--tile is {side}, but {type(network).__name__} looks {needed} steps around each, of which a tile holds "
            f"three times as many beside {multiple} of its own: raise it to {least}, or say by --overlap how far is "
            "enough."
        )
    overlap = (side // SHARE if needed is None else needed) if overlap is None else overlap
    if side - multiple < 3 * overlap:
        raise UserError(
            f"--overlap is {overlap}, of which a tile of {side} holds three beside {multiple} of its own: lower it to "
            f"{(side - multiple) // 3}, or raise --tile."
        )
    return Tiling(side, overlap, **declared)


def answered(network: Network, source: Tensor, tiling: Tiling) -> Iterator[Tensor]:
    """What a network makes of a source, in bands along the first side, one after the other.

    Args:
        network: sees a tile at a time.
        source: [B, C, *sides], in memory or mapped.
        tiling: how it is cut.

    Returns:
        Each [B, D, steps, *sides]; of a source that need be neither cut nor made longer, whatever the network gives.

    Raises:
        UserError: an answer has not the sides that it should have.
    """
    axes = [tiling.axis(length) for length in source.shape[2:]]
    if all(axis.side == axis.length for axis in axes):
        yield network(source)
        return
    (first, *others), scale = axes, tiling.scale
    inside = [slice(scaled(axis.length, scale)) for axis in others]
    held = torch.empty(0)
    for row, start in enumerate(first.starts):
        band = source.index_select(2, first.seen(row))
        for numbers in product(*(range(len(axis.starts)) for axis in others)):
            tile, weight, place = band, first.weight(row, scale), [slice(None)] * 3
            for dim, (axis, number) in enumerate(zip(others, numbers, strict=True), start=3):
                tile = tile.index_select(dim, axis.seen(number))
                weight = weight[..., None] * axis.weight(number, scale)
                place.append(slice(*(scaled(axis.starts[number] + end, scale) for end in (0, axis.side))))
            answer = _of_scale(network(tile), tile, scale)
            if not held.numel():
                held = answer.new_zeros(*answer.shape[:3], *(scaled(axis.end, scale) for axis in others))
            held[tuple(place)] += weight * answer
        done = scaled([*first.starts, first.length][row + 1] - start, scale)
        yield held[(slice(None), slice(None), slice(done), *inside)]
        held = torch.cat([held[:, :, done:], torch.zeros_like(held[:, :, :done])], dim=2)


def joined(bands: Iterator[Tensor], folder: Path) -> Tensor:
    """Bands [B, D, steps, ...] one after the other, mapped from a file; of a single one, whatever it is.

    Args:
        bands: of any type of numbers.
        folder: where the file lies, without a name, until nobody needs it any more.
    """
    first, second = next(bands), next(bands, None)
    if second is None:
        return first
    with tempfile.TemporaryFile(dir=folder) as file:
        for band in chain([first, second], bands):
            file.write(band.movedim(2, 0).contiguous().numpy())
        file.flush()
        mapped = np.memmap(file, first.numpy().dtype, "c").reshape(-1, *first.movedim(2, 0).shape[1:])
    return torch.from_numpy(mapped).movedim(0, 2)


def scaled(steps: int, scale: Scale) -> int:
    """Steps of a source in those of its answer, to the end of the last one."""
    return math.ceil(steps * scale)


def _of_scale(answer: Tensor, tile: Tensor, scale: Scale) -> Tensor:
    """The same answer, where it can stand beside others."""
    if answer.shape[2:] != torch.Size(scaled(side, scale) for side in tile.shape[2:]):
        raise UserError(
            f"The network makes {[*answer.shape[1:]]} of a tile {[*tile.shape[1:]]}, while `scale` of it is {scale}: "
            "let that say how much longer sides become, or add --tile whole."
        )
    return answer
