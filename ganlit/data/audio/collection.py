"""Recordings as they are, of any length and from anywhere: decoded when they are asked for, and written nowhere."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from ganlit.contracts import Collection, Modality
from ganlit.data.audio.form import Form, objection, stored
from ganlit.data.audio.reading import Sound
from ganlit.data.audio.source import Source
from ganlit.data.objections import Objection
from ganlit.data.source import BadItem, NoLabel
from ganlit.errors import UserError

TOGETHER = 64  # recordings decoded at a time,
SAMPLES = 2**25  # unless they are so long
BLOCK = 64  # files read ahead of the hash: bounds the memory


class Heard(Collection):
    """A sequence of recordings [C, T] in one form, whole, or all of one length.

    Where they are whole, and of unequal length, they are to be asked for one at a time: shorter ones among several end
    in silence.

    Args:
        source: where they are.
        form: that they are brought into.
        kind: of them, which knows the form's rate.
        length: samples of each, of which longer ones are cut and shorter ones end in silence; None for what they have.
        choice: indices into the source; all by default.
        uncut: whether longer ones are refused instead of being cut.
        options: whether what is refused may be had by options of a command, such as --mix and --upsample.
    """

    def __init__(
        self,
        source: Source,
        form: Form,
        kind: Modality,
        length: int | None = None,
        choice: Sequence[int] | None = None,
        uncut: bool = False,
        options: bool = False,
    ) -> None:
        self.source = source
        self.form = form
        self.kind = kind
        self.length = length
        self.choice = range(len(source)) if choice is None else choice
        self.uncut = uncut
        self.options = options

    def __len__(self) -> int:
        return len(self.choice)

    def __getitem__(self, places: slice | Tensor) -> Tensor:
        """int16 [B, C, T].

        Raises:
            UserError: a recording cannot be read, or has another form and may not be brought into this one.
        """
        wanted = torch.arange(len(self))[places].tolist()
        found = [torch.from_numpy(each).T for each in self._pool.map(self._decoded, wanted)]
        joined = torch.zeros(len(found), self.form.channels, max(each.shape[1] for each in found), dtype=torch.int16)
        for row, each in zip(joined, found, strict=True):
            row[:, : each.shape[1]] = each
        return joined

    @property
    def name(self) -> str:
        """Of the source, and how many of its recordings where they are not all."""
        whole = len(self) == len(self.source)
        return self.source.name if whole else f"{self.source.name}-{len(self)}"

    @property
    def modality(self) -> Modality:
        return self.kind

    @property
    def whole(self) -> Heard:
        return self if len(self) == len(self.source) else self._of(None)

    def chosen(self, places: Sequence[int]) -> Heard:
        return self._of([self.choice[place] for place in places])

    def _of(self, choice: Sequence[int] | None) -> Heard:
        return Heard(self.source, self.form, self.kind, self.length, choice, self.uncut, self.options)

    @property
    def paths(self) -> list[str]:
        return [self.source.stem(index) for index in self.choice]

    @property
    def digest(self) -> str:
        """A hash of the files' bytes and the labels, wherever the files lie, and of what is heard of them."""
        return self._survey[0]

    @property
    def labels(self) -> Tensor:
        """[N] int64; zeros where there are none, or not for every recording."""
        return torch.tensor([label or 0 for label in self._survey[1]])

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names; empty without labels."""
        labels = self._survey[1]
        return () if not labels or None in labels else self.source.classes

    @cached_property
    def together(self) -> int:
        """One at a time where not all are of one length."""
        if self.length is not None:
            return max(1, min(TOGETHER, SAMPLES // (self.form.channels * self.length)))
        headers = [*self._pool.map(self._header, self.choice)]
        first = headers[0]
        if first is None or first.length is None or any(other != first for other in headers):
            return 1
        return max(1, min(TOGETHER, SAMPLES // (self.form.channels * first.length)))

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(os.cpu_count())  # soundfile and soxr work outside of the interpreter's lock

    @cached_property
    def _survey(self) -> tuple[str, list[int | None]]:
        """Digest and labels, without decoding."""
        digest, labels = blake2b(repr((self.form, self.length)).encode(), digest_size=16), []
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

    def _header(self, index: int) -> tuple[int, int, int | None] | None:
        try:
            return self.source.header(index)
        except BadItem:  # of which decoding tells
            return None

    def _decoded(self, place: int) -> np.ndarray:
        """[T, C] int16."""
        index = self.choice[place]
        try:
            sound = self.source.sound(index)
            if against := objection(sound, self.form, silent=True) or self._too_long(sound):
                raise BadItem(self.source.title(index), *self._answered(against))
        except BadItem as bad:
            raise without_training(bad) from None
        samples = stored(sound, self.form)
        if self.length is None:
            return samples
        return np.pad(samples[: self.length], ((0, max(0, self.length - len(samples))), (0, 0)))

    def _too_long(self, sound: Sound) -> Objection | None:
        if self.length is None or not self.uncut or sound.seconds <= (most := self.length / self.form.rate):
            return None
        reason = f"has {sound.seconds:.3g} s, more than the {most:.3g} of the training"
        return Objection("too long", reason, f"add --seconds {sound.seconds:.3g}, or fewer to have it cut")

    def _answered(self, against: Objection) -> Objection:
        """The same objection with what helps here, where no option of a training does."""
        added = {"rate": "add --upsample", "channels": "add --mix", "beyond 1": "add --level peak"}
        measured = {"rate": "name it first, and the others are brought to its rate", "beyond 1": "scale it down"}
        remedy = (added if self.options else measured).get(against.topic)
        return against if remedy is None else against._replace(remedy=remedy)


def without_training(bad: BadItem) -> UserError:
    """The same in a sentence that says nothing of a training's options."""
    return UserError(f"{bad.title} {bad.reason}: {bad.remedy}.")
