from __future__ import annotations

import hashlib
import io
import socket
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
import torch

from ganlit.errors import UserError
from ganlit.records import downloads
from ganlit.records.downloads import checkpoints, fetched, obstacle

CONTENT = b"weights"
NAME = f"net-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"
URL = f"https://example.org/releases/{NAME}"


class Network:
    """What is at the other end: some bytes, or nothing."""

    def __init__(self) -> None:
        self.content: bytes | None = None
        self.asked: list[str] = []

    def open(self, request: object) -> io.BytesIO:
        assert socket.getdefaulttimeout() == downloads.PATIENCE
        self.asked.append(getattr(request, "full_url", request))
        if self.content is None:
            raise URLError("no route to host")
        answer = io.BytesIO(self.content)
        answer.info = Message
        return answer


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "urlopen", network.open)
    monkeypatch.setattr(downloads, "urlopen", network.open)
    return network


def test_a_file_is_downloaded_once_to_where_torch_hub_looks(network: Network, tmp_path: Path) -> None:
    network.content = CONTENT
    assert fetched(URL, "metric") == fetched(URL, "metric") == tmp_path / "hub" / "checkpoints" / NAME
    assert (checkpoints() / NAME).read_bytes() == CONTENT
    assert network.asked == [URL]
    assert socket.getdefaulttimeout() is None


def test_a_file_may_have_another_name_in_the_cache(network: Network) -> None:
    network.content = CONTENT
    assert fetched("https://example.org/a.pt", "metric", NAME) == checkpoints() / NAME


def test_a_name_without_a_hash_is_not_checked(network: Network) -> None:
    checkpoints().mkdir(parents=True)
    (checkpoints() / "plain_pretrain.pth").write_bytes(b"anything")
    assert fetched("https://example.org/plain_pretrain.pth", "metric").read_bytes() == b"anything"
    assert not network.asked


def test_a_damaged_file_is_replaced(network: Network) -> None:
    network.content = CONTENT
    checkpoints().mkdir(parents=True)
    (checkpoints() / NAME).write_bytes(CONTENT[:3])
    assert fetched(URL, "metric").read_bytes() == CONTENT


def test_without_network_the_sentence_says_what_and_where(network: Network) -> None:
    with pytest.raises(UserError) as error:
        fetched(URL, "extractor net")
    place = checkpoints() / NAME
    assert str(error.value) == (
        f"extractor net: {URL} cannot be downloaded (no route to host): put that file there yourself, as {place}."
    )
    place.write_bytes(b"half")
    with pytest.raises(UserError, match=rf"extractor net: {place} is damaged and {URL} cannot"):
        fetched(URL, "extractor net")


def test_a_download_with_a_wrong_hash_is_refused_and_not_kept(network: Network) -> None:
    network.content = b"something else"
    with pytest.raises(UserError, match="invalid hash value"):
        fetched(URL, "extractor net")
    assert not list(checkpoints().iterdir())


def test_a_server_that_answers_is_no_obstacle(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    assert obstacle("https://example.org") == "no route to host"
    network.content = b""
    assert obstacle("https://example.org") is None

    def forbid(url: str) -> None:
        raise HTTPError(url, 403, "forbidden", {}, None)

    monkeypatch.setattr(downloads, "urlopen", forbid)
    assert obstacle("https://example.org") is None
