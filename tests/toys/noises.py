"""Images of noise: as they are stored, as pictures, and as data to train on."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from ganlit.contracts import Labelled, Pair, Reference
from ganlit.data.base import GanDataModule
from ganlit.data.images.images import LabelledImages
from ganlit.data.images.modality import ImageModality


def noise(count: int = 2, height: int = 40, width: int = 32, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, channels, height, width), generator=generator, dtype=torch.uint8)


def pillow(images: Tensor) -> list[Image.Image]:
    return [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in images]


class Noises(GanDataModule):
    """Grey images in two classes, which need no files."""

    modality = ImageModality()

    def __init__(self, count: int = 64, side: int = 16, **loading: Any) -> None:
        super().__init__(**loading)
        stream = torch.Generator().manual_seed(1)
        images = torch.randint(0, 256, (count, 1, side, side), generator=stream, dtype=torch.uint8)
        self.noises = Labelled(images, torch.arange(count) % 2)

    @property
    def reference(self) -> Reference:
        return Reference("noises-train", "abc", *self.noises, ("even", "odd"))

    @property
    def dataset(self) -> Dataset[Labelled]:
        return LabelledImages(*self.noises)


class Turned(Noises):
    """Noise to be turned upside down, or to be found again at another size; without classes."""

    def __init__(self, smaller: int = 1, **loading: Any) -> None:
        super().__init__(**loading)
        self.smaller = smaller

    @property
    def reference(self) -> Reference:
        return super().reference._replace(labels=torch.zeros_like(self.noises.label), classes=())

    @property
    def dataset(self) -> Dataset[Pair]:
        return Upside(self.noises.item, self.smaller)


class Upside(Dataset[Pair]):
    def __init__(self, images: Tensor, smaller: int) -> None:
        self.images, self.smaller = images, smaller

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, places: Tensor) -> Pair:
        images = self.images[places]
        return Pair(images.flip(2)[..., :: self.smaller, :: self.smaller], images)
