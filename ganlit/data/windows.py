"""Windows of items that last: drawn anew in each pass, and always the same ones where they are measured."""

from __future__ import annotations

from hashlib import blake2b

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganlit.contracts import Labelled, Reference
from ganlit.data.draws import Draws
from ganlit.data.held import MEASURED
from ganlit.data.ragged import Ragged

BITS = 2**31  # of a number from which a start is drawn: items are shorter


class Windows(Dataset[Labelled]):
    """Gathers whole batches of windows of items; item i of pass e is i + N * e.

    Args:
        items: M of them, [T, C, ...] each; what is shorter than a window ends in zeros.
        labels: [M] int64.
        length: places of a window along T.
        places: [N] int64, of the items among them.
        seed: of the draws.
        begin: have them begin where their items do, and not anywhere.
        every: so many-th place is taken.
    """

    endless = True

    def __init__(
        self,
        items: Ragged,
        labels: Tensor,
        length: int,
        places: Tensor,
        seed: int,
        begin: bool = False,
        every: int = 1,
    ) -> None:
        self.items, self.labels, self.length, self.places, self.seed = items, labels, length, places, seed
        self.begin, self.every = begin, every

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, indices: Tensor) -> Labelled:
        places = self.places[indices % len(self)]
        draws = None if self.begin else Draws(indices, self.seed)
        return Labelled(cut(self.items, places, self.length, draws, self.every), self.labels[places])


class Fixed(Dataset[Labelled]):
    """Items that are measured, in batches.

    Args:
        reference: with items [N, C, T, ...].
    """

    def __init__(self, reference: Reference) -> None:
        self.reference = reference

    def __len__(self) -> int:
        return len(self.reference.items)

    def __getitem__(self, places: Tensor) -> Labelled:
        return Labelled(self.reference.items[places], self.reference.labels[places])


class Excerpts:
    """A window [C, T, ...] of each of N items, drawn once for all seeds, and read when it is asked for.

    Args:
        items: [T, C, ...] each.
        length: places of a window.
        begin: as in `Windows`, and so is the next.
        every: so many-th place is taken.
    """

    def __init__(self, items: Ragged, length: int, begin: bool = False, every: int = 1) -> None:
        self.items = items
        self.length = length
        self.begin = begin
        self.every = every

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, wanted: slice | Tensor) -> Tensor:
        places = torch.arange(len(self))[wanted]
        draws = None if self.begin else Draws(places + MEASURED)
        return cut(self.items, places, self.length, draws, self.every)


def excerpts(
    reference: Reference, length: int, begin: bool = False, every: int = 1, called: str = "heard"
) -> Reference:
    """What is measured of items, under a name of its own.

    Args:
        reference: of the whole ones.
        length: as in `Excerpts`, and so are the next two.
        begin: have it begin where they do.
        every: so many-th place is taken.
        called: in its name, where it does not begin there.
    """
    what = f"{'first' if begin else called}{length}{f'x{every}' * (every > 1)}"
    told = length if not begin and every == 1 else what
    digest = blake2b(f"{reference.digest}-{told}".encode(), digest_size=16).hexdigest()
    items = Excerpts(reference.items, length, begin, every)
    return reference._replace(name=f"{reference.name}-{what}", digest=digest, items=items)


def cut(items: Ragged, places: Tensor, length: int, draws: Draws | None, every: int = 1) -> Tensor:
    """A window [B, C, T, ...] of each of some items [B], as far as they have room for it to move; the first undrawn."""
    room = (items.lengths[places] - ((length - 1) * every + 1)).clamp(min=0)
    starts = torch.zeros_like(room) if draws is None else draws.integers(BITS) * (room + 1) // BITS
    return items.windows(places, starts, length, every).transpose(1, 2).contiguous()
