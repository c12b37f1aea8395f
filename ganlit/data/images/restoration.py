"""Images to be made anew from what a degradation has left of them."""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import Any

import torch
from torch import Tensor

from ganlit.contracts import Pair, Reference
from ganlit.data.draws import Draws
from ganlit.data.images.degradations.base import Degradation
from ganlit.data.images.fitting import LARGEST
from ganlit.data.images.form import Form
from ganlit.data.images.images import Images
from ganlit.data.images.modality import ImageModality
from ganlit.data.images.sides import Drawn, Sides, middle
from ganlit.errors import UserError, within

APART = 2**40  # from the seed by which windows are drawn
GLANCE = 64  # degraded images by which sets of such are told apart


class Restoration(Images):
    """Images as targets, of which a degradation makes the sources, on the device, anew each time that one comes.

    What is drawn follows from the seed, the image and the pass over the data alone, so that a run resumes exactly and
    any number of processes sees the same. Measured images are degraded alike in every validation.

    Args:
        degradation: what is to be undone: scaled down, noise, JPEG, holes; several by Chain.
        source: as for `Images`: a folder, a zip, or a dataset's name.
        resolution: side of the targets in pixels.
        tile: side of what is kept of each image, of which training shows random windows; as large by default.
        paired: false shows in training, beside each source, the target of some other one: the degradation is then a
            known map that has to be found unseen, by CycleTranslation, and validations tell how well it was.
        channels: as in `Images`.
        images: all else, as in `Images`.

    Raises:
        UserError: a value is out of its range, or the images cannot be degraded so.
    """

    def __init__(
        self,
        degradation: Degradation,
        source: str,
        resolution: int,
        tile: int | None = None,
        paired: bool = True,
        channels: int = 3,
        **images: Any,
    ) -> None:
        super().__init__(source, tile or resolution, channels, **images)
        within("data.init_args.tile", self.form.resolution, least=resolution, most=LARGEST)
        self.degradation = degradation
        self.resolution = resolution
        self.paired = paired

    @cached_property
    def _real(self) -> Reference:
        return middle(super().reference, self.resolution)

    @property
    def reference(self) -> Reference:
        return self._real

    def reference_of(self, field: str) -> Reference:
        return Degraded(self, self.measured, self.reference).reference if field == "source" else self.reference

    def trained_of(self, field: str) -> Reference:
        real = super().trained_of(field)
        if self.held_out is None or field != "source":
            return real
        items, labels = self.stored.reference.items, self.stored.reference.labels
        places = (self.trained, self.trained)
        shown = Sides(items, items, labels, self.resolution, places=places, seed=self.seed, fixed=True)
        return Degraded(self, shown, real).reference

    @property
    def dataset(self) -> Sides:
        items, labels = self.stored.reference.items, self.stored.reference.labels
        places = (self.trained, self.trained)
        return Sides(items, items, labels, self.resolution, self.flip, self.paired, places, self.seed)

    @property
    def measured(self) -> Sides:
        items = self.reference.items
        return Sides(items, items, self.reference.labels, seed=self.seed, fixed=True)

    def modality_of(self, field: str) -> ImageModality | None:
        return self.sources if field == "source" else super().modality_of(field)

    @cached_property
    def sources(self) -> ImageModality:
        return Given(self.degradation, depth=self.form.depth, range=self.form.range)

    def form_of(self, field: str) -> Form:
        if field != "source":
            return self.form
        channels, height, _ = self.degraded_shape
        return self.form._replace(channels=channels, resolution=height)

    @cached_property
    def degraded_shape(self) -> torch.Size:
        """Of a source: channels, height, width."""
        images = torch.zeros(1, self.form.channels, self.resolution, self.resolution)
        return self.degradation(images, Draws(torch.zeros(1, dtype=torch.int64))).shape[1:]

    def to_network(self, batch: Drawn) -> Pair:
        return self.degraded(batch)[0]

    def degraded(self, batch: Drawn) -> tuple[Pair, dict[str, Tensor]]:
        """The pair, and by name what was drawn for each image [B]."""
        draws = Draws(batch.key, self.seed + APART)
        target = self.modality.to_network(batch.target)
        clean = target if self.paired else self.modality.to_network(batch.source)
        return Pair(self.degradation(clean, draws), target, batch.label), draws.told

    def on_after_batch_transfer(self, batch: Drawn, dataloader_idx: int) -> Pair:
        pair, told = self.degraded(batch)
        if self.trainer is not None and self.trainer.training:
            means = {f"degradation/{name}": values.nanmean() for name, values in told.items()}
            self.trainer.lightning_module.latest |= means
        return pair

    def setup(self, stage: str) -> None:
        super().setup(stage)
        scale = self.resolution / self.degraded_shape[-1]
        if scale != int(scale):
            raise UserError(
                f"data.init_args.degradation makes {self.degraded_shape[-1]} pixels of {self.resolution}, which is no "
                "whole number of times less: take another data.init_args.resolution."
            )


class Given(ImageModality):
    """Sources that come from elsewhere, see `Degradation.given`.

    Args:
        degradation: whose sources they are.
        kind: depth and range, as of any images.
    """

    def __init__(self, degradation: Degradation | None = None, **kind: Any) -> None:
        super().__init__(**kind)
        self.degradation = degradation

    def to_network(self, stored: Tensor) -> Tensor:
        seen = super().to_network(stored)
        return seen if self.degradation is None else self.degradation.given(seen)


class Degraded:
    """Sources as items [N, C, h, w] stored, made of their targets when they are asked for.

    Args:
        data: whose they are.
        sides: that hold the targets, always the same part of each.
        real: the targets, as others are measured against them.
    """

    def __init__(self, data: Restoration, sides: Sides, real: Reference) -> None:
        self.data = data
        self.sides = sides
        self.real = real

    def __len__(self) -> int:
        return len(self.sides)

    def __getitem__(self, places: slice | Tensor) -> Tensor:
        wanted = torch.arange(len(self))[places]
        return self.data.modality_of("source").to_stored(self.data.to_network(self.sides[wanted]).source)

    @property
    def reference(self) -> Reference:
        """As what others are measured against, told apart by the first of them."""
        real = self.real
        digest = blake2b(f"{real.digest}-{self.data.seed}".encode(), digest_size=16)
        digest.update(self[:GLANCE].numpy().tobytes())
        return real._replace(name=f"{real.name}-degraded", digest=digest.hexdigest(), items=self)
