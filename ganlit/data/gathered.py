"""Items as they lie in a source, whatever their modality: read when they are asked for, and written nowhere."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from hashlib import blake2b
from typing import Protocol, Self

import torch
from torch import Tensor

from ganlit.contracts import Collection
from ganlit.data.source import BadItem, NoLabel
from ganlit.errors import UserError

BLOCK = 64  # files read ahead of the hash: bounds the memory


class Readable(Protocol):
    """A source whose items are files."""

    name: str
    labels: object

    @property
    def classes(self) -> tuple[str, ...]: ...

    def __len__(self) -> int: ...

    def label(self, index: int) -> int | None: ...

    def stem(self, index: int) -> str:
        """What an item is called, without the suffix of its file."""

    def undecoded(self, index: int) -> bytes:
        """Its file."""


class Gathered(Collection):
    """Some items of a source, or all.

    Args:
        source: where they are.
        choice: indices into the source; all by default.
    """

    def __init__(self, source: Readable, choice: Sequence[int] | None = None) -> None:
        self.source = source
        self.choice = range(len(source)) if choice is None else choice

    @abstractmethod
    def _of(self, choice: Sequence[int] | None) -> Self:
        """Others of the same source."""

    @property
    @abstractmethod
    def _told(self) -> tuple[object, ...]:
        """What else the items follow from than their files."""

    def __len__(self) -> int:
        return len(self.choice)

    @property
    def name(self) -> str:
        """Of the source, and how many of its items where they are not all."""
        whole = len(self) == len(self.source)
        return self.source.name if whole else f"{self.source.name}-{len(self)}"

    @property
    def whole(self) -> Self:
        return self if len(self) == len(self.source) else self._of(None)

    def chosen(self, places: Sequence[int]) -> Self:
        return self._of([self.choice[place] for place in places])

    @property
    def paths(self) -> list[str]:
        return [self.source.stem(index) for index in self.choice]

    @property
    def digest(self) -> str:
        """A hash of the files' bytes and the labels, wherever the files lie, and of what is taken of them."""
        return self._survey[0]

    @property
    def labels(self) -> Tensor:
        """[N] int64; zeros where there are none, or not for every item."""
        return torch.tensor([label or 0 for label in self._survey[1]])

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names; empty without labels."""
        labels = self._survey[1]
        return () if not labels or None in labels else self.source.classes

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(os.cpu_count())  # libraries decode outside of the interpreter's lock

    @cached_property
    def _survey(self) -> tuple[str, list[int | None]]:
        """Digest and labels, without decoding."""
        digest, labels = blake2b(repr(self._told).encode(), digest_size=16), []
        for content, label in self._contents():
            digest.update(content)
            labels.append(label)
        if None in labels:
            labels = [None] * len(labels)
        digest.update(repr(labels).encode())
        return digest.hexdigest(), labels

    def _contents(self) -> Iterator[tuple[bytes, int | None]]:
        for first in range(0, len(self), BLOCK):
            yield from self._pool.map(self._content, self.choice[first : first + BLOCK])

    def _content(self, index: int) -> tuple[bytes, int | None]:
        try:
            label = self.source.label(index) if self.source.labels else None
        except NoLabel:
            label = None
        try:
            return self.source.undecoded(index), label
        except BadItem as bad:
            raise without_training(bad) from None


def without_training(bad: BadItem) -> UserError:
    """The same in a sentence that says nothing of a training's options."""
    return UserError(f"{bad.title} {bad.reason}: {bad.remedy}.")
