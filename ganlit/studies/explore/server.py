"""The page as a server has it."""

from __future__ import annotations

import logging
import socket
import threading
import warnings
import webbrowser
from contextlib import suppress

import uvicorn
from fastapi import FastAPI
from nicegui import app as pages
from nicegui import ui
from starlette.formparsers import MultiPartParser

from ganlit.compute.console import say
from ganlit.studies.explore.background import Background
from ganlit.studies.explore.guard import LARGEST, Guard, is_here
from ganlit.studies.explore.keeping import Keeper
from ganlit.studies.explore.page import Page
from ganlit.studies.explore.session import Session
from ganlit.studies.explore.studio import Studio

PATIENCE = 1  # seconds that tabs are given to go
AWAY = 30.0  # seconds after which a tab that does not come back is forgotten
REMEMBERED = 50  # messages to a tab that is away: pictures are among them


class Server(uvicorn.Server):
    """A server of one page, of which every tab has its own; a process has one server, once.

    Args:
        listening: by it.
    """

    def __init__(self, studio: Studio, keeper: Keeper, background: Background, listening: socket.socket) -> None:
        @ui.page("/")
        def tab() -> None:
            session = Session(studio, keeper)
            ui.context.client.on_delete(session.leave)
            Page(session, background).build()

        self.listening = listening
        host, port = listening.getsockname()[:2]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        MultiPartParser.spool_max_size = LARGEST  # what is sent lies in memory, and in no file
        outside = FastAPI(openapi_url=None)
        ui.run_with(
            outside,
            title=f"ganlit · {studio.subject.run}",
            favicon="🔭",
            dark=None,
            tailwind=False,
            reconnect_timeout=AWAY,
            message_history_length=REMEMBERED,
            show_welcome_message=False,
        )
        pages.on_exception(lambda error: logging.getLogger("ganlit").error("%s", error))
        guarded = Guard(outside, is_here(host))
        super().__init__(
            uvicorn.Config(guarded, log_level="warning", timeout_graceful_shutdown=PATIENCE, ws_max_size=2**20)
        )

    def serve_all(self) -> None:
        """Until it is told to end."""
        self.run(sockets=[self.listening])


def serve(
    studio: Studio, keeper: Keeper, background: Background, listening: socket.socket, browser: bool = False
) -> None:
    """Shows the page until Ctrl-C.

    Args:
        browser: whether to open one.
    """
    warnings.filterwarnings("ignore", message=".*reduce_op.*")  # of torch, at which NiceGUI looks while it starts
    server = Server(studio, keeper, background, listening)
    say(f"{studio.subject.run} at {server.address}, until Ctrl-C")
    if browser:
        threading.Timer(1.0, webbrowser.open, [server.address]).start()
    with suppress(KeyboardInterrupt):
        server.serve_all()
