"""The page in a real browser: clicked, dragged, dropped upon, at a desk and on a phone."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ganlit.studies.explore.background import Background
from ganlit.studies.explore.explore import listener
from ganlit.studies.explore.session import Session

pytest.importorskip("nicegui", reason='the page is shown by NiceGUI: pip install "ganlit[explore]"')

PICTURE = "document.querySelector('.picture').src"
SAID = "document.querySelector('.said').textContent"


@pytest.fixture
def address(visit: Callable[..., Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server of a toy that nobody has trained; there are no data by which its directions could be scored."""
    from ganlit.studies.explore.server import Server

    monkeypatch.setattr("ganlit.studies.explore.background.names_of", lambda subject: ("no", "<b>one</b>", "other"))
    monkeypatch.chdir(tmp_path)
    here = visit("styled", str(tmp_path / "saved"))
    listening = listener("127.0.0.1", None)
    server = Server(here.studio, here.keeper, Background(here.studio), listening)
    thread = threading.Thread(target=server.serve_all)
    thread.start()
    yield server.address
    server.should_exit = True
    thread.join()
    listening.close()


def button(name: str) -> str:
    return f'[aria-label="{name}"]'


def changed(browser: Any, act: Callable[[], None]) -> str:
    """Waits until the picture is another one, and gives that."""
    before = browser.run(PICTURE)
    act()
    return browser.until(f"{PICTURE} !== {json.dumps(before)} && {PICTURE}")


def dropped(browser: Any, name: str, content: bytes) -> None:
    """Drops a file where pictures are dropped."""
    browser.run(f"""(() => {{
        const bytes = Uint8Array.from(atob("{base64.b64encode(content).decode()}"), each => each.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], {json.dumps(name)}, {{type: "image/png"}}));
        const input = document.querySelector(".q-uploader input[type=file]");
        input.files = data.files;
        input.dispatchEvent(new Event("change", {{bubbles: true}}));
    }})()""")


def answered(address: str, method: str = "GET", **headers: str) -> int:
    """The status that somebody gets who is no browser."""
    asked = HTTPConnection(address.removeprefix("http://"), timeout=30)
    asked.request(method, "/", headers=headers)
    status = asked.getresponse().status
    asked.close()
    return status


def test_a_visit(address: str, browser: Any, tmp_path: Path) -> None:
    assert answered(address, Host="evil.example") == answered(address, Origin="https://evil.example") == 403
    assert answered(address, "POST", **{"Content-Length": str(10**9)}) == 413

    browser.size(1280, 900)
    browser.ask("Page.navigate", url=address)
    first = browser.until(f"document.querySelector('.picture')?.src.startsWith('data:') && {PICTURE}")

    moved = changed(browser, lambda: browser.drag(button("Truncation") + " .q-slider__track-container", 0.4, 0.2, 0.1))
    browser.until("!document.querySelector('[aria-label=Undo]').disabled")
    assert changed(browser, lambda: browser.click(button("Undo"))) == first != moved

    for _ in range(10):  # at once
        browser.run(f"document.querySelector('{button('The next seed')}').click()")
    browser.until("document.querySelector('.field input').value === '10'")
    tenth = browser.until(f"{PICTURE} !== {json.dumps(first)} && {PICTURE}")

    slider = '[aria-label^="sefa-0"] .q-slider__track-container'
    browser.until(f"!!document.querySelector({json.dumps(slider)})")
    assert changed(browser, lambda: browser.drag(slider, 0.8)) != tenth

    browser.until("document.querySelector('.map img').src.startsWith('data:')")
    changed(browser, lambda: browser.click(".map img"))
    assert browser.run("getComputedStyle(document.querySelector('.here')).display") != "none"

    browser.until("document.querySelector('.q-btn-group').textContent.includes('<b>one</b>')")
    changed(browser, lambda: browser.click(".q-btn-group button[aria-pressed=false]"))
    browser.click(".q-toggle")
    changed(browser, lambda: browser.drag(button("From layer") + " .q-slider__track-container", 0.1))

    browser.click(button("Pin, for the way back and for films"))
    browser.until("document.querySelectorAll('.pin[src^=data]').length === 1")
    browser.click(button("Save the picture"))
    browser.until(f"{SAID}.startsWith('Saved seed')")
    assert [path.suffix for path in (tmp_path / "saved").iterdir()] == [".png"]

    dropped(browser, "<img src=x onerror=alert(1)>.png", b"no picture")
    browser.until(f"{SAID} === 'the picture is not an image: send one.'")
    picture = BytesIO()
    Image.new("RGB", (40, 30), "white").save(picture, "PNG")
    changed(browser, lambda: dropped(browser, "white.png", picture.getvalue()))
    browser.until(f"{SAID}.startsWith('Found in 20 steps')")
    assert browser.run("document.documentElement.scrollWidth") <= 1280

    browser.size(390, 844)
    browser.ask("Page.navigate", url=f"{address}/?again")  # whose state is another one
    browser.until(f"document.querySelector('.picture')?.src === {json.dumps(first)}")
    changed(browser, lambda: browser.drag(button("Truncation") + " .q-slider__track-container", 0.2))
    assert browser.run("document.documentElement.scrollWidth") <= 390

    assert browser.asked() == {address.removeprefix("http://")}
    assert browser.complaints() == []
    assert {path.name for path in tmp_path.iterdir()} == {"saved", "profile"}
