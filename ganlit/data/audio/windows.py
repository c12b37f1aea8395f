"""Windows of recordings: drawn anew in each pass of a training, and always the same ones where they are measured."""

from __future__ import annotations

from hashlib import blake2b

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganlit.contracts import Labelled, Reference
from ganlit.data.draws import Draws
from ganlit.data.held import MEASURED
from ganlit.data.ragged import Ragged

BITS = 2**31  # of a number from which a start is drawn: recordings have fewer samples


class Windows(Dataset[Labelled]):
    """Gathers whole batches of windows of recordings; item i of pass e is i + N * e.

    Args:
        recordings: M of them, [T, C] int16 each; what is shorter than a window ends in silence.
        labels: [M] int64.
        length: samples of a window.
        places: [N] int64, of the recordings among them.
        seed: of the draws.
        begin: have them begin where their recordings do, and not anywhere.
    """

    endless = True

    def __init__(
        self, recordings: Ragged, labels: Tensor, length: int, places: Tensor, seed: int, begin: bool = False
    ) -> None:
        self.recordings, self.labels, self.length, self.places, self.seed = recordings, labels, length, places, seed
        self.begin = begin

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, indices: Tensor) -> Labelled:
        places = self.places[indices % len(self)]
        draws = None if self.begin else Draws(indices, self.seed)
        return Labelled(cut(self.recordings, places, self.length, draws), self.labels[places])


class Fixed(Dataset[Labelled]):
    """Items that are measured, in batches.

    Args:
        reference: with items [N, C, T].
    """

    def __init__(self, reference: Reference) -> None:
        self.reference = reference

    def __len__(self) -> int:
        return len(self.reference.items)

    def __getitem__(self, places: Tensor) -> Labelled:
        return Labelled(self.reference.items[places], self.reference.labels[places])


class Excerpts:
    """A window [C, T] of each of N recordings, drawn once for all seeds, and read when it is asked for.

    Args:
        recordings: [T, C] int16 each.
        length: samples of a window.
        begin: as in `Windows`.
    """

    def __init__(self, recordings: Ragged, length: int, begin: bool = False) -> None:
        self.recordings = recordings
        self.length = length
        self.begin = begin

    def __len__(self) -> int:
        return len(self.recordings)

    def __getitem__(self, wanted: slice | Tensor) -> Tensor:
        places = torch.arange(len(self))[wanted]
        return cut(self.recordings, places, self.length, None if self.begin else Draws(places + MEASURED))


def excerpts(reference: Reference, length: int, begin: bool = False) -> Reference:
    """What is measured of recordings, under a name of its own."""
    what = f"{'first' if begin else 'heard'}{length}"
    digest = blake2b(f"{reference.digest}-{what if begin else length}".encode(), digest_size=16).hexdigest()
    items = Excerpts(reference.items, length, begin)
    return reference._replace(name=f"{reference.name}-{what}", digest=digest, items=items)


def cut(recordings: Ragged, places: Tensor, length: int, draws: Draws | None) -> Tensor:
    """A window [B, C, T] of each of some recordings [B], as far as they have room for it to move; the first undrawn."""
    room = (recordings.lengths[places] - length).clamp(min=0)
    starts = torch.zeros_like(room) if draws is None else draws.integers(BITS) * (room + 1) // BITS
    return recordings.windows(places, starts, length).mT.contiguous()
