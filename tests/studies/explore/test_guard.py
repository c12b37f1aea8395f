"""Who may talk to the page."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ganlit.studies.explore.guard import LARGEST, Guard, is_here


def asked(here: bool = True, kind: str = "http", method: str = "GET", **headers: str) -> int:
    """The status that comes back; 200 of what is let through."""
    sent: list[dict[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"status": 200})

    async def send(message: Any) -> None:
        sent.append(message)

    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "method": method, "path": "/", "headers": lines}
    asyncio.run(Guard(application, here)(scope, None, send))
    return sent[0].get("status", sent[0].get("code"))


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "127.0.0.1"])
def test_this_machine_is_let_in(host: str) -> None:
    assert asked(host=host) == 200
    assert asked(host=host, origin=f"http://{host}", kind="websocket") == 200


def test_rebound_names_are_not_nor_pages_of_elsewhere() -> None:
    assert asked(host="evil.example:8080") == 403
    assert asked() == 403
    assert asked(host="127.0.0.1:8080", origin="https://evil.example") == 403
    assert asked(host="127.0.0.1:8080", origin="http://127.0.0.1:9", kind="websocket") == 1008
    assert asked(host="127.0.0.1:8080", origin="null") == 403


def test_of_a_server_for_all_the_name_is_anyones() -> None:
    assert asked(here=False, host="lab.example:8080", origin="http://lab.example:8080") == 200
    assert asked(here=False, host="lab.example:8080", origin="https://evil.example") == 403


def test_bodies_say_how_large_they_are_and_are_not_too_large() -> None:
    host = "localhost:1"
    assert asked(method="POST", host=host, content_length=str(LARGEST)) == 200
    assert asked(method="POST", host=host, content_length=str(LARGEST + 1)) == 413
    assert asked(method="POST", host=host, content_length="9" * 5000) == 413
    assert asked(method="POST", host=host, transfer_encoding="chunked") == 411
    assert asked(method="POST", host=host, content_length="-1") == 411


def test_which_hosts_are_this_machine() -> None:
    assert [is_here(host) for host in ("127.0.0.1", "::1", "localhost", "127.9.9.9")] == [True] * 4
    assert [is_here(host) for host in ("0.0.0.0", "192.168.0.1", "::", "localhost.evil.example", "")] == [False] * 5
