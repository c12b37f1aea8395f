"""A source: a numbered list of pictures with labels, not yet decoded."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Literal

from PIL import Image, UnidentifiedImageError

from ganlit.data.images.depth import HALF, Depth, is_deep
from ganlit.data.images.fitting import Picture, look
from ganlit.data.images.foreign import Foreign
from ganlit.data.images.form import Form
from ganlit.data.images.limits import VARIABLE
from ganlit.data.images.objections import Objected, Objection
from ganlit.data.images.opening import Opened, size_of
from ganlit.errors import UserError

Labels = bool | Literal["renumber"]
"""Whether labels are wanted, as they are or numbered anew."""

# What Pillow, zipfile and torchvision raise on damaged data, by the formats' own decoders.
DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError, RuntimeError, MemoryError),
    *(LookupError, ArithmeticError, TypeError, AttributeError, AssertionError),
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile, Image.DecompressionBombError),
)

LOOKING = Lock()  # one thread looks for the brightest picture, the others wait


class BadPicture(UserError):
    """One picture that cannot be used; the `topic` groups reports.

    The remedy is kept apart because another one is to leave the picture out, which is only said of a `spare` one.
    """

    def __init__(self, title: str, topic: str, reason: str, remedy: str, spare: bool = True) -> None:
        instead = ", or set skip_bad: true to leave such pictures out" if spare else ""
        super().__init__(f"{title} {reason}: {remedy}{instead}.")
        self.title = title
        self.topic = topic
        self.reason = reason
        self.remedy = remedy
        self.spare = spare


class NoLabel(BadPicture):
    """A picture without a label where others have one."""

    def __init__(self, title: str, reason: str, remedy: str) -> None:
        super().__init__(title, "no label", reason, f"{remedy}, or set labels: false to do without", spare=False)


class BadLabels(UserError):
    """Labels that are not the numbers of classes.

    Attributes:
        instead: the option `labels` with which the source can be used.
    """

    def __init__(self, sentence: str, instead: Labels = False) -> None:
        anew = "set labels: renumber to number the classes anew, or " if instead == "renumber" else "mend it, or set "
        super().__init__(f"{sentence}: {anew}labels: false to do without.")
        self.instead = instead


class Source(ABC):
    """Where pictures come from.

    Attributes:
        name: dataset and split, such as "cifar10-train": part of every protocol id.
        fingerprint: changes whenever the files do.
        labels: whether labels are wanted.
    """

    name: str
    fingerprint: str
    labels: Labels = True

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; empty where there are no labels, or none but their numbers."""
        return ()

    @abstractmethod
    def __len__(self) -> int:
        """How many pictures.

        Raises:
            UserError: there is none, or the labels are those of no classes.
        """

    @abstractmethod
    def title(self, index: int) -> str:
        """What a message calls a picture."""

    @abstractmethod
    def opened(self, index: int) -> Opened:
        """A picture, opened but not decoded.

        Raises:
            BadPicture: it cannot be used, wherever it is wanted.
        """

    @abstractmethod
    def label(self, index: int) -> int | None:
        """Its class: None for every picture where the source has no labels.

        Raises:
            NoLabel: it has none, and others have one.
        """

    def read(self, index: int) -> tuple[Opened, int | None]:
        """A picture, opened but not decoded, and its label, if that is wanted."""
        image = self.opened(index)
        try:
            return image, self.label(index) if self.labels else None
        except BadPicture:
            image.close()
            raise

    def size(self, index: int, form: Form) -> tuple[int, int]:
        """Width and height of a picture, upright, without decoding it.

        Raises:
            BadPicture: it cannot be opened.
        """
        with self._troubles(index), self.opened(index) as image:
            return size_of(image, form.channels)

    def picture(self, index: int, form: Form | None = None) -> tuple[Picture, int | None]:
        """A picture, decoded, and its label.

        Args:
            index: its place.
            form: that it shall have, see `look`.

        Raises:
            BadPicture: it cannot be read, or its label is missing.
        """
        return self._decoded(index, form, self.read)

    def view(self, index: int, form: Form | None = None) -> Picture:
        """A picture, decoded, whatever its label.

        Raises:
            BadPicture: it cannot be read.
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
            raise BadPicture(self.title(index), *trouble(error)) from None

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
    if isinstance(error, Objected):
        return error.objection
    said = str(error).rstrip(".") or type(error).__name__
    if isinstance(error, UnidentifiedImageError):
        return Objection("not an image", "is not an image", "remove it")
    if isinstance(error, Image.DecompressionBombError):
        said = said.partition(",")[0]  # numbers; then it warns of an attack
        return Objection("too large", f"is too large ({said})", f"shrink it, or set {VARIABLE} to more", spare=False)
    if isinstance(error, MemoryError):
        return Objection("too large", "needs more memory than there is", "shrink it")
    if isinstance(error, OSError) and error.errno is not None:  # of the file, not of what is in it
        return Objection("unreadable", f"cannot be read ({error.strerror})", "let it be read", spare=False)
    return Objection("damaged", f"is truncated or damaged ({said})", "replace it")


def fingerprint_of(files: Iterable[tuple[str, int, int]]) -> str:
    """A hash of files' paths, sizes and times of modification."""
    digest = blake2b(digest_size=16)
    for file in files:
        digest.update(repr(file).encode())
    return digest.hexdigest()


def as_they_lie(*files: Path) -> list[tuple[str, int, int]]:
    """Of each file what its fingerprint is taken from."""
    found = [(str(file.resolve()), file.stat()) for file in files]
    return [(path, status.st_size, status.st_mtime_ns) for path, status in found]
