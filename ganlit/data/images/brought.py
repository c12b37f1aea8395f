"""Pictures from anywhere in the form of a network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import product

import numpy as np

from ganlit.data.images.fitting import Form, Picture, objection, render
from ganlit.data.images.pictures import PIXELS, TOGETHER, Pictures
from ganlit.data.images.source import BadPicture, NoLabel, Source


class Brought(Pictures):
    """A sequence of images [C, R, R], brought into a form as a training brings its own; [C, H, W] where any size fits.

    Args:
        source: where they are.
        form: theirs.
        choice: indices into the source; all by default.
    """

    def __init__(self, source: Source, form: Form, choice: Sequence[int] | None = None) -> None:
        super().__init__(source, choice)
        self.form = form

    @property
    def whole(self) -> Brought:
        return Brought(self.source, self.form)

    def chosen(self, places: Sequence[int]) -> Brought:
        return Brought(self.source, self.form, [self.choice[place] for place in places])

    @property
    def together(self) -> int:
        """One at a time where no two need be of one size."""
        if self.form.fit == "any":
            return 1
        return max(1, min(TOGETHER, PIXELS // (self.form.channels * self.form.resolution**2)))

    @cached_property
    def _labels(self) -> list[int | None]:
        return [self._label(index) for index in self.choice]

    def _label(self, index: int) -> int | None:
        try:
            return self.source.label(index)
        except NoLabel:
            return None

    def _decoded(self, place: int) -> np.ndarray:
        return render(self._picture(place), self.form)

    def _refuse(self, place: int, picture: Picture) -> None:
        size, kind, depth = picture.image.size, picture.kind, picture.depth
        against = objection(size, kind, self.form, depth)
        if against is None:
            return
        for fit, convert in product((self.form.fit, "resize", "crop"), (self.form.convert, True)):
            if objection(size, kind, self.form._replace(fit=fit, convert=convert), depth) is None:
                options = ["--convert"] if convert > self.form.convert else []
                options = [f"--fit {fit}"] * (fit != self.form.fit) + options
                against = against._replace(remedy=f"add {' '.join(options)}")
                break
        raise BadPicture(self._title(place), *against)
