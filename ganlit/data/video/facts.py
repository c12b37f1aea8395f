"""What there is to know of a clip, by looking at all of its frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ganlit.data.images.fitting import objection
from ganlit.data.images.kind import Kind
from ganlit.data.objections import Objection
from ganlit.data.video.form import Form, wrong_tempo
from ganlit.data.video.reading import Frame
from ganlit.data.video.tempo import Tempo


class Facts(NamedTuple):
    """Of a clip that can be read."""

    title: str
    label: int | None
    tempo: Tempo
    first: Frame
    others: tuple[Frame, ...]  # frames of another size or kind

    @classmethod
    def of(cls, title: str, frames: Iterable[Frame], label: int | None) -> Facts:
        """Those of frames as they pass."""
        times, different = list[float | None](), dict[object, Frame]()
        for frame in frames:
            times.append(frame.time)
            different.setdefault((frame.size, frame.kind), frame._replace(picture=_gone))
        first, *others = different.values()
        return cls(title, label, Tempo.of(times), first, tuple(others))

    @property
    def size(self) -> tuple[int, int]:
        return self.first.size

    @property
    def kind(self) -> Kind:
        return self.first.kind

    def kept(self, form: Form) -> int:
        """How many of its frames are."""
        if form.fps is None or self.tempo.rate is None:
            return self.tempo.frames
        return round(self.tempo.seconds * form.fps)

    def against(self, form: Form, wanted: int) -> Objection | None:
        """What keeps it from a form, and from windows that reach over so many frames."""
        wrong = (objection(each.size, each.kind, form.picture, each.depth) for each in (self.first, *self.others))
        against = next(filter(None, wrong), None) or wrong_tempo(self.tempo, form)
        if against is not None or (there := self.kept(form)) >= wanted:
            return against
        reason = f"has {there} frames, fewer than the {wanted} of a window"
        return Objection("too short", reason, f"lower frames or stride until that is {there} or less")


def _gone() -> None:
    """Of what was only to be looked at."""
