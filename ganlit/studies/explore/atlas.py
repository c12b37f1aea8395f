"""A map of seeds: items that are alike lie side by side, and none covers another."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ganlit.data.images.pixels import colours, in_8_bits
from ganlit.studies.explore.job import Job
from ganlit.studies.explore.showing import address
from ganlit.studies.latent.find import turned
from ganlit.studies.latent.subject import Subject

SIDE = 16  # items across and down
SMALL = 32  # side of an item on the map, in pixels, at most


class Atlas(NamedTuple):
    """A square of items.

    Attributes:
        seeds: [SIDE, SIDE], row by row.
        labels: [SIDE, SIDE].
        picture: of all, as an address that holds it.
    """

    seeds: Tensor
    labels: Tensor
    picture: str

    def at(self, across: float, down: float) -> tuple[int, int]:
        """The seed and the class at a place, in shares of the sides; beyond them what is nearest."""
        row, column = (min(max(int(share * SIDE), 0), SIDE - 1) for share in (down, across))
        return int(self.seeds[row, column]), int(self.labels[row, column])

    def place(self, seed: int, label: int) -> tuple[int, int] | None:
        """Row and column of an item; None where it is not on the map."""
        found = ((self.seeds == seed) & (self.labels == label)).nonzero()
        return (int(found[0, 0]), int(found[0, 1])) if len(found) else None


def drawn(subject: Subject, seed: int, job: Job[Atlas]) -> Atlas:
    """The first items, the classes in turn, by their styles; where there are none, by how they look.

    Args:
        seed: of the latents.
    """
    count = SIDE * SIDE
    advance = job.counted("Drawing the map", count)
    label = subject.labels(range(count))
    latents = subject.latents(subject.z(range(count), seed), label)
    parts = zip(latents.split(SIDE), label.split(SIDE), strict=True)
    made = []
    for each, of in parts:
        made.append(small(subject.made(each, of)))
        advance(len(each))
    images = torch.cat(made)
    features = latents[:, 0] if subject.styled else images.float()
    order = laid(plane(features.flatten(1).cpu()), SIDE)
    return Atlas(order, label.cpu()[order], address(tiled(images[order])))


def small(stored: Tensor) -> Tensor:
    """Stored images [N, C, H, W] as small ones that can be shown, uint8."""
    seen = in_8_bits(colours(stored))
    if max(seen.shape[2:]) <= SMALL:
        return seen
    by = SMALL / max(seen.shape[2:])
    sides = [max(1, round(side * by)) for side in seen.shape[2:]]
    return adaptive_avg_pool2d(seen.float(), sides).round().to(torch.uint8)


def tiled(images: Tensor) -> Tensor:
    """Images [rows, columns, C, h, w] as one, [C, rows * h, columns * w]."""
    return images.permute(2, 0, 3, 1, 4).flatten(3, 4).flatten(1, 2)


def plane(features: Tensor) -> Tensor:
    """The first two principal components [N, 2] of features [N, d]; of a single one, or none, zeros beside it."""
    centred = features.double() - features.double().mean(0)
    _, _, axes = torch.linalg.svd(centred, full_matrices=False)
    first = centred @ turned(axes[:2]).T
    return torch.cat([first, torch.zeros(len(first), 2 - first.shape[1], dtype=first.dtype)], 1)


def laid(points: Tensor, columns: int) -> Tensor:
    """Which of the points [columns * columns, 2] lies in each place of a square, [columns, columns].

    Ranks take the place of coordinates: columns by the first, and in each of them, from the top, by the second.
    """
    across = points[:, 0].argsort(stable=True).unflatten(0, (columns, columns))  # a row for each column
    down = points[across, 1].argsort(dim=1, stable=True)
    return across.gather(1, down).T
