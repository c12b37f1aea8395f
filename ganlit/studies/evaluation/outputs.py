"""Files that a command writes when its work is done: looked at ahead of it, so that none of it is in vain."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ganlit.errors import UserError
from ganlit.records.media import PICTURE, companions, kind_of, named

LONGER = "x" * 40
"""What a name may grow by while its file is written."""


def picture_of(path: Path) -> Path:
    """The picture that is meant, with or without its suffix."""
    return named(path.with_name(path.name.removesuffix(PICTURE)), PICTURE)


def new(path: Path, option: str) -> None:
    """Refuses a file that is there, though it were a link to nowhere, or that could never be.

    Raises:
        UserError: it is, or could not.
    """
    try:
        named(path, LONGER).lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        raise unwritable(path, option, error) from None
    if os.path.lexists(path):
        raise UserError(f"{option} {path} exists already: name a new file.")


def apart(json: Path | None, picture: Path, option: str, among: list[str]) -> None:
    """Refuses a picture whose files would take the place of others, or lie among items.

    Args:
        json: what is written beside it.
        picture: files whose names begin like its own are written with it.
        option: that asks for it.
        among: where the items come from.

    Raises:
        UserError: one of these is so.
    """
    stem, folder = picture.name.removesuffix(PICTURE), picture.parent.resolve()
    if others := companions(picture):
        raise UserError(f"{option} {picture} would be beside {others[0]}, a file of the same name: take another.")
    if json is not None and folder == json.parent.resolve() and json.name.startswith(stem) and kind_of(json):
        raise UserError(f"{option} {picture} and --json {json} would be files of one name: take another.")
    outside(picture, option, among)


def outside(path: Path, option: str, among: list[str]) -> None:
    """Refuses a place among items.

    Raises:
        UserError: it is one.
    """
    for place in among:
        if Path(place).expanduser().resolve() in path.resolve().parents:
            raise UserError(f"{option} {path} would lie among the items of {place}: name a place elsewhere.")


def empty(folder: Path, option: str) -> None:
    """Refuses a place for many files where something is.

    Raises:
        UserError: there is, or nobody can look.
    """
    try:
        if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{folder} is not an empty folder: give another {option}.")
    except OSError as error:
        raise unwritable(folder, option, error) from None


def beside(run: str) -> Path:
    """Where commands put what they make of a run, unless they are told where: in it, or beside the file of weights."""
    return Path(run).parent if Path(run).is_file() else Path(run)


def room_for_items(folder: Path, option: str, among: list[str]) -> Path:
    """Looks ahead at a folder for many files, and at the picture of the first of them that is written beside it.

    Returns:
        The picture.

    Raises:
        UserError: either is there, or could never be, or would lie among the items that they are made of.
    """
    called = folder if folder.name not in ("", "..") else folder.resolve()
    picture = picture_of(named(called, "-grid"))
    empty(folder, option)
    outside(folder, option, among)
    new(picture, option)
    apart(None, picture, option, among)
    return picture


def make_room(folder: Path, path: Path, option: str) -> None:
    """Makes the folder of what is to be written.

    Args:
        folder: may be there.
        path: of what is to be written in it, for the error.
        option: that asks for it.

    Raises:
        UserError: it cannot be made, or nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OSError(None, "no permission")
    except (OSError, ValueError) as error:
        raise unwritable(path, option, error) from None


@contextmanager
def writing(option: str, path: Path) -> Iterator[None]:
    """Says in a sentence why files cannot be written, also of a modality that writes them its own way."""
    try:
        yield
    except UserError:
        raise
    except OSError as error:
        raise unwritable(path, option, error) from error


def unwritable(path: Path, option: str, error: Exception) -> UserError:
    reason = getattr(error, "strerror", None) or str(error)
    return UserError(f"{option} {path} cannot be written ({reason}): name another place.")
