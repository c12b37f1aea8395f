"""What is known of the images of a run, and how it is read in generated ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganlit.data.images.catalogue import open_source
from ganlit.data.images.decoding import fitted
from ganlit.data.images.images import Images
from ganlit.data.images.shapes import FACTORS, Between, Shapes, levels
from ganlit.errors import UserError
from ganlit.metrics.manifold import nearest
from ganlit.studies.evaluation.subject import data_of

PIECE = 256  # images
ACROSS = 16  # pixels of a side, at most, by which images are compared


class Known(NamedTuple):
    """Images of all combinations of some factors."""

    data: Images
    names: list[str]  # of the factors
    levels: Tensor  # [N, F] int64

    @property
    def items(self) -> Tensor:
        """[N, C, H, W] stored."""
        return self.data.stored.reference.items


def known(run: str) -> Known:
    """The images that a run was trained on, whose factors are known.

    Raises:
        UserError: they are not.
    """
    data = data_of(run)
    name = getattr(data, "source", "")
    source = open_source(name, data.split, data.root) if isinstance(data, Images) else None
    if not isinstance(source, Shapes):
        raise UserError(
            f"{run} was trained on {name or type(data).__name__}, of which no factors are known: name a run on shapes "
            "(data.init_args.source)."
        )
    found = torch.from_numpy(levels(np.arange(len(source)))).long()
    return Known(data, [factor.name for factor in FACTORS], found)


def read(images: Tensor, known: Known, advance: Callable[[int], None] = lambda count: None) -> tuple[Tensor, Tensor]:
    """Which of the known images each stored one [N, C, H, W] is nearest to, and how far it is, both [N].

    The distance is the root mean square of the values' differences, in parts of their range. As every combination is
    among the known ones, their levels are those that are read.
    """
    there, found, far = flat(known.items), [], []
    for piece in images.split(PIECE):
        distance, place = nearest(flat(piece), there)
        found.append(place[:, 0])
        far.append(distance[:, 0] / there.shape[1] ** 0.5)
        advance(len(piece))
    return torch.cat(found), torch.cat(far)


def flat(stored: Tensor) -> Tensor:
    """[N, d] from 0 to 1, large images in squares of pixels."""
    by = max(1, stored.shape[-1] // ACROSS)
    most = 1.0 if stored.is_floating_point() else float(torch.iinfo(stored.dtype).max)
    return torch.nn.functional.avg_pool2d(stored.float() / most, by).flatten(1)


def reading(known: Known, count: int, seed: int) -> tuple[Tensor, float]:
    """How often levels are read rightly, [F], in images that lie between the known ones, and how far these are."""
    places = torch.randperm(len(known.levels), generator=torch.Generator().manual_seed(seed))[:count]
    source = Between()
    source.labels = False
    drawn = [fitted(source, place, known.data.form).pixels for place in places.tolist()]
    found, far = read(torch.from_numpy(np.concatenate(drawn)), known)
    return (known.levels[found] == known.levels[places]).double().mean(0), float(far.mean())
