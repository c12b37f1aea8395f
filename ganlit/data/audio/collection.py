"""Recordings as they are, of any length and from anywhere: decoded when they are asked for, and written nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.data.audio.form import Form, objection, stored
from ganlit.data.audio.reading import Sound
from ganlit.data.audio.source import Source
from ganlit.data.gathered import Gathered, without_training
from ganlit.data.objections import Objection
from ganlit.data.source import BadItem

TOGETHER = 64  # recordings decoded at a time,
SAMPLES = 2**25  # unless they are so long


class Heard(Gathered):
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
        super().__init__(source, choice)
        self.form = form
        self.kind = kind
        self.length = length
        self.uncut = uncut
        self.options = options

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
    def modality(self) -> Modality:
        return self.kind

    def _of(self, choice: Sequence[int] | None) -> Heard:
        return Heard(self.source, self.form, self.kind, self.length, choice, self.uncut, self.options)

    @property
    def _told(self) -> tuple[object, ...]:
        return self.form, self.length

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
