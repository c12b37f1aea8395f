"""A source: a numbered list of documents with labels, each of which holds a text or many."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal, NamedTuple

from ganlit.data import source
from ganlit.data.objections import Objected, Objection
from ganlit.data.source import DAMAGE, BadItem, trouble
from ganlit.errors import UserError

Each = Literal["lines", "files", "windows"]
"""What counts as a text: a line, all of a file or of an entry, or as much of it as there is room for."""

BLANK = Objection("empty", "has no text in it", "fill or remove it")


class Text(NamedTuple):
    """One text."""

    text: str
    label: int | None
    title: str  # what a message calls it
    stem: str  # what it is called among all
    document: int  # in which it is


class Source(source.Source):
    """Where texts come from.

    Attributes:
        usual: what counts as a text where nothing else is asked for.
    """

    usual: Each = "files"

    @abstractmethod
    def document(self, index: int) -> str:
        """All that is in a document.

        Raises:
            BadItem: it cannot be read.
        """

    @abstractmethod
    def stem(self, index: int) -> str:
        """What a document is called, without the suffix of its file."""

    def numbered(self, each: Each) -> bool:
        """Whether a line is called by its number."""
        return each == "lines"

    def texts(self, each: Each | None = None, blank: bool = False) -> Iterator[Text | BadItem]:
        """Every text, or what is wrong with it; empty lines only stand between others.

        Args:
            each: what counts as one: windows are cut by who knows their length, and are files here.
            blank: whether an entry or file without a word is a text, as one that a generator has ended at once.
        """
        each = each or self.usual
        for index in range(len(self)):
            try:
                label = self.label(index) if self.labels else None
                whole = self.document(index)
            except BadItem as bad:
                yield bad
                continue
            found = 0
            lines = whole.split("\n") if each == "lines" else [whole if each == "windows" else whole.strip("\r\n")]
            for number, line in enumerate(lines, 1):
                if line.strip():
                    found += 1
                    where, stem = self.title(index), self.stem(index)
                    if self.numbered(each):
                        where, stem = f"{where} line {number}", f"{stem}-{number:06}"
                    yield Text(line, label, where, stem, index)
            if not found and blank and not self.numbered(each):
                yield Text("", label, self.title(index), self.stem(index), index)
            elif not found:
                yield BadItem(self.title(index), *BLANK)


class Files(Source):
    """A source whose documents are files."""

    @abstractmethod
    def at(self, index: int) -> Path | IO[bytes]:
        """Where a document can be read.

        Raises:
            BadItem: it cannot be used, wherever it is wanted.
        """

    def document(self, index: int) -> str:
        try:
            place = self.at(index)
            with place.open("rb") if isinstance(place, Path) else place as file:
                return decoded(file.read())
        except UserError:
            raise
        except DAMAGE as error:
            raise BadItem(self.title(index), *trouble(error)) from None


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8.

    Raises:
        Objected: it is none.
    """
    try:
        found = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = f"is no text in UTF-8 (byte 0x{content[error.start]:02x} in line {line})"
        raise Objected(Objection("encoding", what, "save it as UTF-8")) from None
    if "\0" in found:
        line = found.count("\n", 0, found.index("\0")) + 1
        raise Objected(Objection("encoding", f"is no text (a zero byte in line {line})", "replace it"))
    return found.replace("\r\n", "\n")
