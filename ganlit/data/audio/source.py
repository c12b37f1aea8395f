"""A source: a numbered list of recordings with labels, not yet decoded."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from ganlit.data import source
from ganlit.data.audio.reading import WHOLE, Header, Sound, Span, header, read
from ganlit.data.labels import normal
from ganlit.data.source import DAMAGE, BadItem, trouble
from ganlit.errors import UserError


class Source(source.Source):
    """Where recordings come from."""

    @abstractmethod
    def at(self, index: int) -> Path | IO[bytes]:
        """Where a recording can be read.

        Raises:
            BadItem: it cannot be used, wherever it is wanted.
        """

    @abstractmethod
    def member(self, index: int) -> str:
        """Of a recording's file, inside the source, with / between its parts."""

    def stem(self, index: int) -> str:
        """What a recording is called, without the suffix of its file."""
        return PurePosixPath(normal(self.member(index))).with_suffix("").as_posix()

    def span(self, index: int) -> Span:
        """What of the file is meant."""
        return WHOLE

    def recording(self, index: int) -> tuple[Sound, int | None]:
        """A recording, decoded, and its label, if that is wanted.

        Raises:
            BadItem: it cannot be read, or its label is missing.
        """
        return self.sound(index), self.label(index) if self.labels else None

    def sound(self, index: int) -> Sound:
        """A recording, decoded, whatever its label.

        Raises:
            BadItem: it cannot be read.
        """
        with self._troubles(index):
            return read(self.at(index), suffix_of(self.member(index)), self.span(index))

    def header(self, index: int) -> Header:
        """What a recording's file says of itself.

        Raises:
            BadItem: it cannot be opened.
        """
        with self._troubles(index):
            return header(self.at(index), suffix_of(self.member(index)))

    def undecoded(self, index: int) -> bytes:
        """A recording's file, not decoded, and what of it is meant.

        Raises:
            BadItem: it cannot be read.
        """
        with self._troubles(index):
            place, span = self.at(index), self.span(index)
            with place.open("rb") if isinstance(place, Path) else place as file:
                return file.read() + (b"" if span == WHOLE else repr(span).encode())

    @contextmanager
    def _troubles(self, index: int) -> Iterator[None]:
        """Says of damage in which recording it is."""
        try:
            yield
        except UserError:
            raise
        except DAMAGE as error:
            raise BadItem(self.title(index), *trouble(error)) from None


def suffix_of(path: str) -> str:
    """In lower case, with its dot."""
    return Path(path).suffix.lower()
