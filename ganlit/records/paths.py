"""Paths as users write them, with ~ for someone's home."""

from __future__ import annotations

from pathlib import Path

from ganlit.errors import UserError


def at_home(path: Path, key: str) -> Path:
    """The path with ~ replaced.

    Args:
        path: as it was given.
        key: where it was.

    Raises:
        UserError: nobody here has that name.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        raise UserError(f"{key} is {path}, but nobody of that name has a home here: write the path out.") from None
