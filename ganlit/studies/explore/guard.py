"""Who may talk to the page, and how much: other pages in the same browser may not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LARGEST = 2**26  # bytes of a file that is sent


def is_here(host: str) -> bool:
    """Whether an address is this machine's alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """An ASGI application in front of another.

    It refuses what a page of elsewhere asks for (its Origin is another one), and what reaches a server of this machine
    by another name, as rebound names do; and bodies that are too large, or do not say how large they are.

    Args:
        app: the other.
        here: whether it is a server for this machine alone.
    """

    def __init__(self, app: App, here: bool) -> None:
        self.app = app
        self.here = here

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and (status := self._refusal(scope)):
            await refuse(scope["type"], status, send)
        else:
            await self.app(scope, receive, send)

    def _refusal(self, scope: Message) -> int | None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get("host", ""), headers.get("origin")
        if self.here and not is_here(urlsplit(f"//{host}").hostname or ""):
            return 403
        if origin is not None and urlsplit(origin).netloc != host:
            return 403
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            length = headers.get("content-length", "")
            if not length.isdecimal():
                return 411
            if int(length[:20]) > LARGEST:
                return 413
        return None


async def refuse(kind: str, status: int, send: Send) -> None:
    """Answers with a status, or closes before it is open."""
    if kind == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
