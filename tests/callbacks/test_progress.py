from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rich

from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.callbacks.progress import Progress, clock


@pytest.fixture
def terminal() -> Iterator[io.StringIO]:
    screen = io.StringIO()
    rich.reconfigure(file=screen, force_terminal=True, width=120)
    yield screen
    rich.reconfigure()


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (75, "1:15"), (3599.6, "1:00:00"), (4000, "1:06:40")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_a_log_file_gets_one_plain_line_for_each_tick(fit: Any, scripted: Any, capsys: pytest.CaptureFixture) -> None:
    fidelity = scripted(30.0, 20.0)
    fit(0.6, fidelity, Progress(0.6, fidelity))
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("kimg")]
    number = r"\d+\.\d{3}"
    assert len(lines) == 2
    for line, kimg, fid in zip(lines, ("0.4", "0.6"), ("30.0", "20.0"), strict=True):
        pattern = rf"kimg {kimg}/0\.6  \d+ img/s  D {number}  G {number}  FID {fid}  0:\d\d gone  0:\d\d left"
        assert re.fullmatch(pattern, line), line


def test_a_resumed_run_speaks_of_new_ticks_only(fit: Any, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    fit(0.4, Checkpoints(""))
    fit(0.8, Checkpoints(""), Progress(0.8), ckpt_path=tmp_path / "checkpoints" / "last.ckpt")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("kimg")]
    assert len(lines) == 1
    assert lines[0].startswith("kimg 0.8/0.8")
    assert lines[0].endswith("0:00 left")


def test_a_terminal_has_a_bar_which_is_gone_at_the_end(fit: Any, terminal: io.StringIO) -> None:
    progress = Progress(0.6, refresh=0.0)
    fit(0.6, progress)
    shown = terminal.getvalue()
    assert "training" in shown
    assert "measuring" in shown
    assert "━" in shown
    assert progress.bar is None


def test_ranks_other_than_the_first_are_silent(fit: Any, capsys: pytest.CaptureFixture) -> None:
    progress = Progress(0.1)
    progress.disable()
    fit(0.1, progress)
    assert "kimg" not in capsys.readouterr().out
