"""The configuration files that trials are resolved from: what they said then, and whether they still do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from ganlit.errors import UserError
from ganlit.records import documents
from ganlit.records.moved import current
from ganlit.records.settings import plain
from ganlit.studies.sweeps.definition import CONFIG, options


def named(args: list[str]) -> dict[str, str]:
    """The files that arguments of `fit` name, each with a hash of what it says."""
    return {file: said(Path(file)) for key, file in options(args) if key in CONFIG and Path(file).is_file()}


def said(file: Path) -> str:
    """A hash of what a file says, whatever its comments and the order of its keys.

    Raises:
        UserError: it cannot be read.
    """
    content = plain(documents.mapping(current(documents.text(file)), file))
    return blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=8).hexdigest()


def changed(files: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of files with a hash of what they said those that say something else by now, or are gone."""
    return {(file, then) for file, then in {*files} if not _still(Path(file), then)}


def _still(file: Path, then: str) -> bool:
    try:
        return said(file) == then
    except UserError:
        return False
