"""Pictures as they are, of any size and from anywhere: decoded when they are asked for, and written nowhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from hashlib import blake2b
from pathlib import PurePosixPath

import numpy as np
import torch
from torch import Tensor

from ganlit.contracts import Collection
from ganlit.data.images.fitting import Picture, objection, render
from ganlit.data.images.form import Form
from ganlit.data.images.opening import Opened
from ganlit.data.images.source import DAMAGE, Source
from ganlit.data.images.tree import Tree
from ganlit.data.labels import normal
from ganlit.data.source import BadItem, NoLabel
from ganlit.errors import UserError

TOGETHER = 64  # pictures decoded at a time,
PIXELS = 2**26  # unless they are so large
BLOCK = 64  # files read ahead of the hash: bounds the memory
COLOUR = Form(resolution=1, channels=3, fit="any", convert=True)  # every kind becomes RGB of 8 bits


class Pictures(Collection):
    """A sequence of images [3, H, W], of which memory holds no more than the slice asked for and the one after it.

    Grey is repeated; alpha, 16 bits and print colours become RGB as `convert: true` makes them in training.

    Args:
        source: where they are.
        choice: indices into the source; all by default.

    Attributes:
        form: that they are brought into.
    """

    form = COLOUR

    def __init__(self, source: Source, choice: Sequence[int] | None = None) -> None:
        self.source = source
        self.choice = range(len(source)) if choice is None else choice
        self._ahead: dict[range, list[Future[np.ndarray]]] = {}

    def __len__(self) -> int:
        return len(self.choice)

    def __getitem__(self, places: slice | Tensor) -> Tensor:
        """uint8 [B, 3, H, W]; after a slice its successor is begun, so that decoding and the network go on at once.

        Raises:
            UserError: a picture cannot be read, or is not of the size of the first.
        """
        if isinstance(places, Tensor):
            return self._joined(self._begin(places.tolist()))
        wanted = range(len(self))[places]
        begun = self._ahead.pop(wanted, None) or self._begin(wanted)
        following = range(len(self))[wanted.stop : wanted.stop + len(wanted)]
        self._ahead = {following: self._begin(following)} if following else {}
        return self._joined(begun)

    @property
    def name(self) -> str:
        """Of the source, and how many of its pictures where they are not all."""
        whole = len(self) == len(self.source)
        return self.source.name if whole else f"{self.source.name}-{len(self)}"

    @property
    def whole(self) -> Pictures:
        return self if len(self) == len(self.source) else Pictures(self.source)

    def chosen(self, places: Sequence[int]) -> Pictures:
        return Pictures(self.source, [self.choice[place] for place in places])

    @property
    def paths(self) -> list[str]:
        """Of each picture, inside the folder or zip and without its suffix; its number in another dataset."""
        inside = self.source.members if isinstance(self.source, Tree) else [*map(str, range(len(self.source)))]
        return [PurePosixPath(normal(inside[index])).with_suffix("").as_posix() for index in self.choice]

    @property
    def digest(self) -> str:
        """A hash of the files' bytes and the labels, wherever the files lie.

        Pictures that have no file of their own, as in CIFAR's arrays, are hashed by their pixels [C, H, W], which gives
        the digest of the same dataset decoded for training.
        """
        return self._survey[0]

    @property
    def labels(self) -> Tensor:
        """[N] int64; zeros where there are none, or not for every picture."""
        return torch.tensor([label or 0 for label in self._labels])

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names, or numbers where they have no names; empty without labels."""
        labels = self._labels
        if not labels or None in labels:
            return ()
        return self.source.classes or tuple(map(str, range(max(labels) + 1)))

    @property
    def _labels(self) -> list[int | None]:
        return self._survey[1]

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height, of the first picture and hence of all."""
        return self._picture(0).image.size

    @property
    def together(self) -> int:
        """How many to ask for at a time."""
        width, height = self.size
        return max(1, min(TOGETHER, PIXELS // (self.form.channels * width * height)))

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(os.cpu_count())  # Pillow decodes outside of the interpreter's lock

    @cached_property
    def _survey(self) -> tuple[str, list[int | None]]:
        """Digest and labels, without decoding a picture."""
        digest, labels = blake2b(digest_size=16), []
        for content, label in self._contents():
            digest.update(content)
            labels.append(label)
        if None in labels:
            labels = [None] * len(labels)
        digest.update(repr(labels).encode())
        return digest.hexdigest(), labels

    def _contents(self) -> Iterator[tuple[bytes, int | None]]:
        for first in range(0, len(self), BLOCK):
            yield from self._pool.map(self._content, range(first, min(first + BLOCK, len(self))))

    def _content(self, place: int) -> tuple[bytes, int | None]:
        index = self.choice[place]
        try:
            image, label = self._read(index)
            with image:
                return _undecoded(image), label
        except DAMAGE as error:
            self._picture(place)  # refuses it in one sentence
            raise UserError(f"{self._title(place)} cannot be read ({error}): replace or remove it.") from None

    def _read(self, index: int) -> tuple[Opened, int | None]:
        try:
            return self.source.read(index)
        except NoLabel:
            return self.source.opened(index), None

    def _begin(self, places: Sequence[int]) -> list[Future[np.ndarray]]:
        return [self._pool.submit(self._decoded, place) for place in places]

    def _joined(self, begun: Sequence[Future[np.ndarray]]) -> Tensor:
        return torch.from_numpy(np.stack([future.result() for future in begun])).contiguous()

    def _decoded(self, place: int) -> np.ndarray:
        """Pixels [3, H, W]."""
        picture = self._picture(place)
        if picture.image.size != self.size:
            first, other = self._title(0), self._title(place)
            raise UserError(
                f"{other} is {_shape(picture.image.size)} while {first} is {_shape(self.size)}: a network sees images "
                "of one size only, so remove one of them or resize all alike."
            )
        return render(picture, self.form)

    def _picture(self, place: int) -> Picture:
        try:
            picture = self.source.view(self.choice[place], self.form)
            self._refuse(place, picture)
        except BadItem as bad:  # of whose remedies one is of a training
            raise UserError(f"{bad.title} {bad.reason}: {bad.remedy}.") from None
        return picture

    def _refuse(self, place: int, picture: Picture) -> None:
        """Raises BadItem where something keeps it from the form."""
        if against := objection(picture.image.size, picture.kind, self.form, picture.depth):
            raise BadItem(self._title(place), *against)

    def _title(self, place: int) -> str:
        return self.source.title(self.choice[place])


def _undecoded(image: Opened) -> bytes:
    """The file behind an opened picture, or the pixels [C, H, W] of one that has none."""
    file = getattr(image, "fp", None)
    if file is None:
        pixels = np.asarray(image)
        return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)).tobytes()
    file.seek(0)
    return file.read()


def _shape(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
