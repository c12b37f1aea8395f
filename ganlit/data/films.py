"""Files with films and sound in them, opened by PyAV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from ganlit.data.objections import Objected
from ganlit.errors import UserError

FILMS = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ogv", ".flv", ".mpg", ".mpeg", ".3gp", ".wmv"}
"""Suffixes of films, which may have sound, and of some of which nothing but the sound is there."""


def library(name: str, what: str, extra: str) -> ModuleType:
    """A package that only some data need.

    Args:
        name: as it is imported.
        what: needs it, as a sentence begins with it.
        extra: of ganlit, by which it is installed.

    Raises:
        UserError: it is not.
    """
    try:
        return import_module(name)
    except ImportError:
        raise UserError(f'{what} needs the package {name}, which is not here: pip install -e ".[{extra}]".') from None


@contextmanager
def container(
    av: ModuleType, file: Path | IO[bytes], known: str, unknown: Callable[[str], Objected], format: str | None = None
) -> Iterator[Any]:
    """A file that PyAV has opened; what goes wrong with it in the block is an objection, too.

    Args:
        av: the package.
        file: where it can be read.
        known: what FFmpeg may take it for: others of its formats, such as playlists, would have it open further files.
        unknown: an objection, from what FFmpeg says.
        format: as FFmpeg calls it, of what does not say itself what it is.

    Raises:
        Objected: it cannot be read.
        OSError: the system has a reason of its own.
    """
    try:
        place = str(file) if isinstance(file, Path) else file
        with av.open(place, format=format, options={"format_whitelist": known}) as opened:
            yield opened
    except av.error.FFmpegError as error:
        if isinstance(error, OSError) and not isinstance(error, ValueError):
            raise
        raise unknown((error.strerror or str(error)).lower()) from None


@contextmanager
def closing(file: Path | IO[bytes]) -> Iterator[None]:
    """Closes a file that was opened, in the end."""
    try:
        yield
    finally:
        if not isinstance(file, Path):
            file.close()
