"""A source: a numbered list of pictures with labels, not yet decoded."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from threading import Lock

from PIL import Image, UnidentifiedImageError

from ganlit.data import source
from ganlit.data.images.depth import HALF, Depth, is_deep
from ganlit.data.images.fitting import Picture, look
from ganlit.data.images.foreign import Foreign
from ganlit.data.images.form import Form
from ganlit.data.images.limits import VARIABLE
from ganlit.data.images.opening import Opened, size_of
from ganlit.data.objections import Objection
from ganlit.data.source import BadItem
from ganlit.errors import UserError

DAMAGE = (*source.DAMAGE, Image.DecompressionBombError)  # what Pillow, zipfile and torchvision raise on damaged data

NO_IMAGE = Objection("not an image", "is not an image", "remove it")

LOOKING = Lock()  # one thread looks for the brightest picture, the others wait


class Source(source.Source):
    """Where pictures come from."""

    @abstractmethod
    def opened(self, index: int) -> Opened:
        """A picture, opened but not decoded.

        Raises:
            BadItem: it cannot be used, wherever it is wanted.
        """

    def read(self, index: int) -> tuple[Opened, int | None]:
        """A picture, opened but not decoded, and its label, if that is wanted."""
        image = self.opened(index)
        try:
            return image, self.label(index) if self.labels else None
        except BadItem:
            image.close()
            raise

    def size(self, index: int, form: Form) -> tuple[int, int]:
        """Width and height of a picture, upright, without decoding it.

        Raises:
            BadItem: it cannot be opened.
        """
        with self._troubles(index), self.opened(index) as image:
            return size_of(image, form.channels)

    def picture(self, index: int, form: Form | None = None) -> tuple[Picture, int | None]:
        """A picture, decoded, and its label.

        Args:
            index: its place.
            form: that it shall have, see `look`.

        Raises:
            BadItem: it cannot be read, or its label is missing.
        """
        return self._decoded(index, form, self.read)

    def view(self, index: int, form: Form | None = None) -> Picture:
        """A picture, decoded, whatever its label.

        Raises:
            BadItem: it cannot be read.
        """
        return self._decoded(index, form, lambda index: (self.opened(index), None))[0]

    def _decoded(
        self, index: int, form: Form | None, read: Callable[[int], tuple[Opened, int | None]]
    ) -> tuple[Picture, int | None]:
        with self._troubles(index):
            image, label = read(index)
            with image:
                picture = look(image, form)
        if picture.kind.bits == 16 and picture.depth is not None and picture.depth.dark:
            with LOOKING:
                picture = picture._replace(depth=picture.depth._replace(brightest=self._brightest))
        return picture, label

    @contextmanager
    def _troubles(self, index: int) -> Iterator[None]:
        """Says of damage in which picture it is."""
        try:
            yield
        except UserError:
            raise
        except DAMAGE as error:
            raise BadItem(self.title(index), *trouble(error)) from None

    @cached_property
    def _brightest(self) -> float:
        """The highest value of the pictures of 16 bits, or the first one found in the upper half."""
        brightest: float = 0
        for index in range(len(self)):
            try:
                with self.opened(index) as image:
                    depth = _values(image)
            except DAMAGE:  # of which others tell
                continue
            brightest = max(brightest, depth.highest if depth is not None else 0)
            if brightest >= HALF:
                break
        return brightest


def _values(image: Opened) -> Depth | None:
    """Those of a picture of 16 bits; others are not decoded."""
    deep = image.bits == 16 if isinstance(image, Foreign) else is_deep(image)
    return look(image).depth if deep else None


def trouble(error: Exception) -> Objection:
    """What a picture that cannot be read suffers from."""
    if isinstance(error, UnidentifiedImageError):
        return NO_IMAGE
    if isinstance(error, Image.DecompressionBombError):
        said = str(error).partition(",")[0]  # numbers; then it warns of an attack
        return Objection("too large", f"is too large ({said})", f"shrink it, or set {VARIABLE} to more", spare=False)
    return source.trouble(error)
