"""Files that are fetched from where their authors keep them: once, checked, and refused in a sentence."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlparse
from urllib.request import urlopen

import torch

from ganlit.errors import UserError

PATIENCE = 5.0  # seconds without an answer after which a download is given up: offline machines must not wait


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Bounds every silence of a connection: torchvision and torch.hub, which download, take no timeout."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def download(url: str, path: Path, digest: str | None = None) -> str | None:
    """Brings a file here.

    Args:
        url: of the file.
        path: where it shall lie.
        digest: the first digits of its SHA-256; a file with another one is not kept.

    Returns:
        What went wrong, if something did.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with patience(PATIENCE):
            torch.hub.download_url_to_file(url, str(path), digest)
    except (OSError, RuntimeError) as error:  # no network, no room; a wrong checksum is a RuntimeError
        return _reason(error)
    return None


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
    if path.is_file() and digest_of(path).startswith(expected):
        return path
    found = f"{path} is damaged and " if path.is_file() else ""
    if wrong := download(url, path, expected or None):
        raise UserError(
            f"{what}: {found}{url} cannot be downloaded ({wrong}): put that file there yourself, as {path}{also}."
        )
    return path


def checkpoints() -> Path:
    """The folder in which torch.hub keeps weights."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The hexadecimal digest of a file's content; nothing of one that is not there."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


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
