"""A source: a numbered list of pictures with labels, not yet decoded."""

from __future__ import annotations

import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from ganlit.data.images.fitting import Picture, look
from ganlit.errors import UserError

# What Pillow and zipfile raise on damaged data, by the formats' own decoders.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    RuntimeError,
    Image.DecompressionBombError,
)


class BadPicture(UserError):
    """One picture that cannot be used; the `topic` groups reports.

    The remedy is kept apart because one is to leave the picture out.
    """

    def __init__(self, title: str, topic: str, reason: str, remedy: str) -> None:
        super().__init__(f"{title} {reason}: {remedy}, or set skip_bad: true to leave such pictures out.")
        self.title = title
        self.topic = topic
        self.reason = reason


class Source(ABC):
    """Where pictures come from.

    Attributes:
        name: dataset and split, such as "cifar10-train": part of every protocol id.
        fingerprint: changes whenever the files do.
    """

    name: str
    fingerprint: str

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; empty where there are no labels, or none but their numbers."""
        return ()

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def title(self, index: int) -> str:
        """What a message calls a picture."""

    @abstractmethod
    def read(self, index: int) -> tuple[Image.Image, int | None]:
        """A picture, opened but not decoded, and its label: None for every one where the source has no labels.

        Raises:
            BadPicture: the label is missing or out of range.
        """

    def picture(self, index: int) -> tuple[Picture, int | None]:
        """A picture, decoded, and its label.

        Raises:
            BadPicture: it cannot be read, or its label is missing or out of range.
        """
        try:
            image, label = self.read(index)
            with image:
                return look(image), label
        except UserError:
            raise
        except UnidentifiedImageError:
            raise BadPicture(self.title(index), "not an image", "is not an image", "remove it") from None
        except DAMAGE as error:
            reason = f"is truncated or damaged ({str(error).rstrip('.')})"
            raise BadPicture(self.title(index), "damaged", reason, "replace it") from None


def fingerprint_of(files: Iterable[Path], base: Path | None = None) -> str:
    """A hash of the files' paths (below `base`, if given), sizes and times of modification."""
    digest = blake2b(digest_size=16)
    for file in files:
        status = file.stat()
        path = file.relative_to(base) if base else file.resolve()
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()
