"""Clips as they are, from anywhere: decoded when they are asked for, and written nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import product

import torch
from torch import Tensor

from ganlit.contracts import Modality
from ganlit.data.gathered import Gathered, without_training
from ganlit.data.objections import Objection
from ganlit.data.source import BadItem
from ganlit.data.video.decoding import shaped
from ganlit.data.video.form import Form, reach, wrong_frame
from ganlit.data.video.source import Source
from ganlit.errors import UserError

TOGETHER = 64  # clips decoded at a time,
BYTES = 2**27  # unless they are so large


class Seen(Gathered):
    """A sequence of clips [C, T, H, W] in one form, whole, or some frames of each.

    Args:
        source: where they are.
        form: that they are brought into.
        kind: of them, which knows their rate.
        frames: of each; None for what they have.
        stride: so many-th frames are taken.
        end: whether of a longer clip the last ones are taken, instead of the first.
        choice: indices into the source; all by default.
        options: whether what is refused may be had by options of a command, such as --fit.
    """

    source: Source

    def __init__(
        self,
        source: Source,
        form: Form,
        kind: Modality,
        frames: int | None = None,
        stride: int = 1,
        end: bool = False,
        choice: Sequence[int] | None = None,
        options: bool = False,
    ) -> None:
        super().__init__(source, choice)
        self.form = form
        self.kind = kind
        self.frames = frames
        self.stride = stride
        self.end = end
        self.options = options

    def __getitem__(self, places: slice | Tensor) -> Tensor:
        """uint8 [B, C, T, H, W].

        Raises:
            UserError: a clip cannot be read, has another form and may not be brought into this one, or has not the size
                or the length of the first of these.
        """
        wanted = torch.arange(len(self))[places].tolist()
        found = list(self._pool.map(self._decoded, wanted))
        for place, each in zip(wanted, found, strict=True):
            if each.shape != found[0].shape:
                raise UserError(
                    f"{self._title(place)} is {_shape(each)} while {self._title(wanted[0])} is {_shape(found[0])}: "
                    "these are looked at together, so bring all to one size and length."
                )
        return torch.stack(found)

    @property
    def modality(self) -> Modality:
        return self.kind

    def _of(self, choice: Sequence[int] | None) -> Seen:
        return Seen(self.source, self.form, self.kind, self.frames, self.stride, self.end, choice, self.options)

    @property
    def _told(self) -> tuple[object, ...]:
        return self.form, self.frames, self.stride, self.end

    @cached_property
    def together(self) -> int:
        """One at a time where not all are of one length and size, as far as their files tell."""
        side, headers = self.form.picture.resolution, [*self._pool.map(self._header, self.choice)]
        alike = headers[0] is not None and all(other == headers[0] for other in headers)
        if self.form.picture.fit == "any" or self.frames is None:
            if not alike or headers[0][1] is None:
                return 1
            pixels = headers[0][1] * headers[0][0][0] * headers[0][0][1]
        else:
            pixels = self.frames * side * side
        return max(1, min(TOGETHER, BYTES // (self.form.picture.channels * pixels)))

    def _header(self, index: int) -> tuple[tuple[int, int], int | None] | None:
        try:
            header = self.source.header(index)
        except BadItem:  # of which decoding tells
            return None
        return header.size, header.frames

    def _title(self, place: int) -> str:
        return self.source.title(self.choice[place])

    def _decoded(self, place: int) -> Tensor:
        """[C, T, H, W]."""
        index = self.choice[place]
        try:
            frames = shaped(self.source, index, self.form).frames
            if self.frames is not None and len(frames) < (wanted := reach(self.frames, self.stride)):
                reason = f"has {len(frames)} frames, fewer than the {wanted} that are wanted"
                raise BadItem(self._title(place), "too short", reason, "remove it")
        except BadItem as bad:
            raise without_training(self._answered(bad, index)) from None
        if self.frames is None:
            chosen = frames[:: self.stride]
        else:
            start = len(frames) - reach(self.frames, self.stride) if self.end else 0
            chosen = frames[start : start + reach(self.frames, self.stride) : self.stride]
        return torch.from_numpy(chosen).transpose(0, 1)

    def _answered(self, bad: BadItem, index: int) -> BadItem:
        """The same with what helps here, where no option of a training does."""
        if bad.topic in ("variable rate", "rate"):
            return BadItem(bad.title, bad.topic, bad.reason, bad.remedy.replace("set fps:", "add --fps"))
        if not self.options:
            return bad
        options = self._options(index)
        return bad if options is None else BadItem(bad.title, bad.topic, bad.reason, options)

    def _options(self, index: int) -> str | None:
        """Those by which the first frame of a clip fits."""
        try:
            frame = next(self.source.clip(index))
        except BadItem:
            return None
        picture = self.form.picture

        def against(fit: str, convert: bool) -> Objection | None:
            return wrong_frame(frame, self.form._replace(picture=picture._replace(fit=fit, convert=convert)))

        if against(picture.fit, picture.convert) is None:
            return None
        for fit, convert in product((picture.fit, "resize", "crop"), (picture.convert, True)):
            if against(fit, convert) is None:
                words = [f"--fit {fit}"] * (fit != picture.fit) + ["--convert"] * (convert > picture.convert)
                return f"add {' '.join(words)}"
        return None


def _shape(clip: Tensor) -> str:
    _, length, height, width = clip.shape
    return f"{length} frames of {width}x{height}"
