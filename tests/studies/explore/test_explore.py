"""The command: what it refuses, and whom it lets in."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import ganlit.studies.explore as room
from ganlit.errors import UserError
from ganlit.studies.explore import explore as module
from ganlit.studies.explore.explore import explore, listener
from ganlit.studies.explore.job import Job, end_all


def test_only_the_page_knows_how_it_is_shown() -> None:
    """Whatever is on it can be tried without a browser, and without a package for it."""
    knowing = set()
    for file in Path(room.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if any(name.split(".")[0] in ("nicegui", "uvicorn", "fastapi", "starlette") for name in names):
                knowing.add(file.stem)
    assert knowing == {"page", "parts", "server"}


def test_without_the_package_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'NiceGUI, which is not installed: pip install "ganlit\[explore\]"'):
        explore("styled")


def test_ports_that_are_taken() -> None:
    with listener("127.0.0.1", None) as first:
        port = first.getsockname()[1]
        with pytest.raises(UserError, match=f"--port {port} is taken: name another one by --port"):
            listener("127.0.0.1", port)
        with listener("127.0.0.1", None) as second:
            assert second.getsockname()[1] > port


@pytest.mark.parametrize("host", ["256.1.1.1", "192.0.2.1", "no host", "x" * 99])
def test_hosts_that_are_none(host: str) -> None:
    with pytest.raises(UserError, match=f"--host {host} is no address of this machine"):
        listener(host, 0)


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_others_are_let_in_by_saying_so(
    host: str, warned: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    pytest.importorskip("nicegui", reason='the page is shown by NiceGUI: pip install "ganlit[explore]"')
    served: list[Any] = []
    monkeypatch.setattr("ganlit.studies.explore.server.serve", lambda *given, browser: served.append((*given, browser)))
    explore("plain", host=host, no_browser=True)
    [(studio, keeper, background, listening, browser)] = served
    assert ("WARNING: whoever reaches 0.0.0.0 can see and use this page" in capsys.readouterr().out) == warned
    assert (studio.subject.run, keeper.folder, browser) == ("plain", None, False)
    assert background.job.done
    assert listening.fileno() == -1  # given back


def test_at_the_end_nothing_goes_on() -> None:
    def work(job: Job[None]) -> None:
        advance = job.counted("Waiting", 1)
        while True:
            advance(0)

    jobs = [Job("Waiting", work) for _ in range(3)]
    end_all(20)
    assert [(job.done, job.error) for job in jobs] == [(True, "Waiting: cancelled.")] * 3


def test_what_goes_wrong_in_a_thread_is_a_sentence() -> None:
    def work(job: Job[int]) -> int:
        job.counted("Dividing", 2)(1)
        return 1 // 0

    job = Job("Beginning", work)
    job.wait()
    assert (job.share, job.answer, job.done) == (0.5, None, True)
    assert job.error.startswith("Dividing failed (ZeroDivisionError: ")
