"""Weights that are fetched from where their authors keep them: once, checked, and refused in a sentence."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlparse
from urllib.request import urlopen

import torch

from ganlit.downloads import patience
from ganlit.errors import UserError

PATIENCE = 5.0  # seconds without an answer after which a download is given up: offline machines must not wait


def fetched(url: str, what: str, name: str | None = None, also: str = "") -> Path:
    """The file of a URL in the cache of torch.hub, from which libraries then read it; downloaded where it is not whole.

    torch.hub itself checks what it downloads but not what it finds.

    Args:
        url: of the file.
        what: needs it, for the message.
        name: in the cache, if it is not the URL's; `NAME-<first digits of its SHA-256>.EXTENSION` is checked.
        also: what else is to be put where, for the message.

    Raises:
        UserError: it is not there and cannot be downloaded, or is something else.
    """
    path = checkpoints() / (name or Path(urlparse(url).path).name)
    named = re.search(r"-([a-f0-9]+)\.\w+$", path.name)
    expected = named[1] if named else ""
    if path.is_file() and _sha256(path).startswith(expected):
        return path
    found = f"{path} is damaged and " if path.is_file() else ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with patience(PATIENCE):
            torch.hub.download_url_to_file(url, str(path), expected or None)
    except (OSError, RuntimeError) as error:  # no network, no room; a wrong checksum is a RuntimeError
        reason = f"{found}{url} cannot be downloaded ({_reason(error)})"
        raise UserError(f"{what}: {reason}: put that file there yourself, as {path}{also}.") from error
    return path


def checkpoints() -> Path:
    """The folder in which torch.hub keeps weights."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def obstacle(url: str) -> str | None:
    """Why a server cannot be reached; None where it answers, whatever it says."""
    try:
        with patience(PATIENCE), urlopen(url):
            return None
    except HTTPError:
        return None
    except OSError as error:
        return _reason(error)


def _reason(error: Exception) -> str:
    return str(error).removeprefix("<urlopen error ").removesuffix(">")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
