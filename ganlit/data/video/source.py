"""A source: a numbered list of clips with labels, not yet decoded."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from ganlit.data import source
from ganlit.data.images.source import DAMAGE, trouble
from ganlit.data.labels import normal
from ganlit.data.objections import Objected, Objection
from ganlit.data.source import BadItem
from ganlit.data.video.reading import Frame, Header, film, header_of_film, header_of_numbered, numbered
from ganlit.errors import UserError


class Source(source.Source):
    """Where clips come from."""

    @abstractmethod
    def member(self, index: int) -> str:
        """Of a clip's file or frames, inside the source, with / between its parts."""

    @abstractmethod
    def shots(self, index: int) -> Sequence[str]:
        """The paths of a clip's frames, in order; none of one that is a film."""

    @abstractmethod
    def at(self, index: int) -> Path | IO[bytes]:
        """Where a film can be read.

        Raises:
            BadItem: it cannot be used, wherever it is wanted.
        """

    @abstractmethod
    def inside(self, member: str) -> Path | IO[bytes]:
        """The same of a frame."""

    def lacks(self, index: int) -> Objection | None:
        """What is wrong with the paths of a clip's frames."""
        return None

    def stem(self, index: int) -> str:
        """What a clip is called, without the suffix of its file."""
        path = PurePosixPath(normal(self.member(index)))
        return (path if self.shots(index) else path.with_suffix("")).as_posix()

    def clip(self, index: int) -> Iterator[Frame]:
        """The frames of a clip as they pass.

        Raises:
            BadItem: it cannot be read.
        """
        with self._troubles(index):
            shots = self.shots(index)
            if against := self.lacks(index):
                raise Objected(against)
            yield from numbered(map(self.inside, shots)) if shots else film(self.at(index))

    def header(self, index: int) -> Header:
        """What a clip's file says of itself.

        Raises:
            BadItem: it cannot be opened.
        """
        with self._troubles(index):
            shots = self.shots(index)
            return header_of_numbered(self.inside(shots[0]), len(shots)) if shots else header_of_film(self.at(index))

    def undecoded(self, index: int) -> bytes:
        """A clip's files, not decoded.

        Raises:
            BadItem: they cannot be read.
        """
        with self._troubles(index):
            shots = self.shots(index)
            return b"".join(map(_content, map(self.inside, shots) if shots else [self.at(index)]))

    @contextmanager
    def _troubles(self, index: int) -> Iterator[None]:
        """Says of damage in which clip it is."""
        try:
            yield
        except UserError:
            raise
        except DAMAGE as error:
            raise BadItem(self.title(index), *trouble(error)) from None


def _content(place: Path | IO[bytes]) -> bytes:
    with place.open("rb") if isinstance(place, Path) else place as file:
        return file.read()


def suffix_of(path: str) -> str:
    """In lower case, with its dot."""
    return Path(path).suffix.lower()
