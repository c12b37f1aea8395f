"""Toys in place of runs on the disk, and of who looks at them."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from styles import stand_in

from ganlit.studies.explore.keeping import Keeper
from ganlit.studies.explore.session import Session
from ganlit.studies.explore.studio import Studio
from ganlit.studies.latent.subject import Subject


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)


@pytest.fixture
def visit() -> Callable[..., Session]:
    """A tab on a run."""

    def open_(run: str = "styled", out: str | None = None, steps: int = 20) -> Session:
        studio = Studio(Subject(run, together=8), steps=steps)
        return Session(studio, Keeper(studio.subject, out))

    return open_


class Browser:
    """A tab of Chromium, told what to do by the DevTools protocol.

    Args:
        folder: for its profile.
    """

    def __init__(self, chromium: str, folder: Path) -> None:
        from websockets.sync.client import connect

        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
        command = [chromium, *flags, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        told = folder / "DevToolsActivePort"
        self.until(lambda: told.is_file() and told.read_text().count("\n"))
        with urlopen(f"http://127.0.0.1:{told.read_text().split()[0]}/json") as tabs:
            address = next(tab["webSocketDebuggerUrl"] for tab in json.load(tabs) if tab["type"] == "page")
        self.open = ExitStack()
        self.socket = self.open.enter_context(connect(address, max_size=None))
        self.events: list[dict[str, Any]] = []
        self.sent = 0
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What a command answers; what happens meanwhile is kept."""
        self.sent += 1
        self.socket.send(json.dumps({"id": self.sent, "method": method, "params": parameters}))
        while (answer := json.loads(self.socket.recv(timeout=60))).get("id") != self.sent:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def run(self, script: str) -> Any:
        """The value of an expression on the page."""
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, holds: str | Callable[[], Any], seconds: float = 30) -> Any:
        """Waits until an expression on the page, or a function, is true of something; that."""
        ends = time.monotonic() + seconds
        while not (found := self.run(holds) if isinstance(holds, str) else holds()):
            assert time.monotonic() < ends, holds
            time.sleep(0.02)
        return found

    def size(self, across: int, down: int) -> None:
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=across, height=down, deviceScaleFactor=1, mobile=across < 500
        )

    def drag(self, selector: str, *shares: float) -> None:
        """Takes the middle of an element by the mouse, leads it along these shares of its width, and lets go."""
        box = f"document.querySelector({json.dumps(selector)})"
        self.run(f"{box}.scrollIntoView({{block: 'center'}})")
        left, top, across, down = self.run(
            f"(({{x, y, width, height}}) => [x, y, width, height])({box}.getBoundingClientRect())"
        )
        points = [(left + share * across, top + down / 2) for share in (0.5, *shares)]
        steps = [
            ("mousePressed", points[0]),
            *(("mouseMoved", each) for each in points[1:]),
            ("mouseReleased", points[-1]),
        ]
        for kind, (x, y) in steps:
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)
        if shares:
            time.sleep(0.1)  # Quasar takes no click at once behind a drag for one

    def click(self, selector: str) -> None:
        self.drag(selector)

    def complaints(self) -> list[dict[str, Any]]:
        """Errors on the page and in its console."""
        kinds = ("Runtime.exceptionThrown", "Network.loadingFailed")
        found = [each for each in self.events if each["method"] in kinds]
        entries = [each["params"]["entry"] for each in self.events if each["method"] == "Log.entryAdded"]
        calls = [each["params"] for each in self.events if each["method"] == "Runtime.consoleAPICalled"]
        found += [each for each in entries if each["level"] == "error"]
        return found + [each for each in calls if each["type"] in ("error", "assert")]

    def asked(self) -> set[str]:
        """Whom it has asked for anything."""
        sent = [each["params"] for each in self.events if each["method"] == "Network.requestWillBeSent"]
        sent += [each["params"] for each in self.events if each["method"] == "Network.webSocketCreated"]
        addresses = [each["request"]["url"] if "request" in each else each["url"] for each in sent]
        return {urlsplit(address).netloc for address in addresses if address.startswith(("http", "ws"))}

    def close(self) -> None:
        self.open.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    found = Browser(chromium, tmp_path / "profile")
    yield found
    found.close()
