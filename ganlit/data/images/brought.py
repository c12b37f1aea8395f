"""Pictures from anywhere in the form of a network."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from functools import cached_property
from itertools import product

import numpy as np
import torch
from torch import Tensor

from ganlit.contracts import Kept
from ganlit.data.images.beside import Beside, apart
from ganlit.data.images.depth import WHITES
from ganlit.data.images.fitting import Picture, objection, render
from ganlit.data.images.form import Form
from ganlit.data.images.pictures import PIXELS, TOGETHER, Pictures
from ganlit.data.images.source import Source
from ganlit.data.source import BadItem, NoLabel
from ganlit.errors import UserError


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
        self._coming: dict[range, list[Future[tuple[np.ndarray, Beside]]]] = {}

    @property
    def whole(self) -> Brought:
        return Brought(self.source, self.form)

    def chosen(self, places: Sequence[int]) -> Brought:
        return Brought(self.source, self.form, [self.choice[place] for place in places])

    def kept(self, places: slice) -> Kept:
        """In straight colours instead of on black, with alpha, EXIF and the profile of their colours beside them.

        A picture is decoded whole, and all its pixels are in memory then, unless they lie in an array's file as they
        are, from which they are mapped. The next pictures are decoded ahead where these are small.
        """
        wanted = range(len(self))[places]
        found = [future.result() for future in self._coming.pop(wanted, None) or self._begun(wanted)]
        following = range(len(self))[wanted.stop : wanted.stop + len(wanted)]
        small = sum(pixels.size for pixels, _ in found) <= PIXELS
        self._coming = {following: self._begun(following)} if following and small else {}
        return Kept(_together([pixels for pixels, _ in found]), [beside for _, beside in found])

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

    def _begun(self, places: Sequence[int]) -> list[Future[tuple[np.ndarray, Beside]]]:
        return [self._pool.submit(self._apart, place) for place in places]

    def _apart(self, place: int) -> tuple[np.ndarray, Beside]:
        index = self.choice[place]
        try:
            picture, alpha = apart(self.source.view(index, self.form), self.form)
            self._refuse(place, picture)
        except BadItem as bad:  # of whose remedies one is of a training
            raise UserError(f"{bad.title} {bad.reason}: {bad.remedy}.") from None
        with self.source.opened(index) as image:
            beside = Beside.of(image)
        if alpha is not None:
            grey = self.form._replace(channels=1, range=(0.0, WHITES[alpha.kind.bits]))
            beside = beside._replace(alpha=render(alpha, grey)[0])
        return render(picture, self.form), beside

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
        raise BadItem(self._title(place), *against)


def _together(pixels: Sequence[np.ndarray]) -> Tensor:
    """[B, C, H, W] of arrays [C, H, W]; a single one stays where it is, as in a file, where torch can."""
    first, *others = pixels
    here = not others and first.flags.writeable and min(first.strides) >= 0
    return torch.from_numpy(first[None] if here else np.stack(pixels))
