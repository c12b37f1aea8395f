from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rich
from lightning.pytorch import Callback

from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.callbacks.profile import Profile, Tick
from ganlit.callbacks.progress import Progress, costs
from ganlit.callbacks.samples import Samples
from ganlit.compute.console import clock


@pytest.fixture
def terminal() -> Iterator[io.StringIO]:
    screen = io.StringIO()
    rich.reconfigure(file=screen, force_terminal=True, width=120)
    yield screen
    rich.reconfigure()


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (75, "1:15"), (3599.6, "1:00:00"), (4000, "1:06:40")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def lines(capsys: pytest.CaptureFixture) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("tick")]


def test_a_log_file_gets_one_plain_line_for_each_tick(fit: Any, scripted: Any, capsys: pytest.CaptureFixture) -> None:
    fidelity, profile = scripted(130.0, 20.0), Profile()
    fit(0.6, fidelity, Samples(), profile, Progress(0.6, profile, fidelity))
    printed = lines(capsys)
    number, share = r"-?\d+\.\d{3}", r"[ 1]?[ \d]\d%"
    shares = " ".join(f"{name} {share}" for name in ("D", "G", "data", "metrics", "io"))
    for line, tick, kimg, fid in zip(printed, "12", ("0.4", "0.6"), ("130.0", " 20.0"), strict=True):
        pattern = (
            rf"tick {tick}   kimg {kimg}/0\.6  FID-200 {fid}  D {number}  G {number}  [ \d]+ img/s"
            rf"   0:\d\d gone   0:\d\d left  {shares}  peak \d+\.\d GB"
        )
        assert re.fullmatch(pattern, line), line


def test_before_the_first_measure_its_place_is_kept(fit: Any, scripted: Any, capsys: pytest.CaptureFixture) -> None:
    fidelity, profile = scripted(), Profile()
    fidelity.on_validation_epoch_end = lambda *_: None
    fit(0.4, fidelity, profile, Progress(0.4, profile, fidelity))
    assert "  score     -  " in lines(capsys)[0]


def test_a_player_that_has_not_begun_has_a_dash(fit: Any, capsys: pytest.CaptureFixture) -> None:
    class Late(Callback):
        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            pl_module.plays = lambda player: player == "generator"

    profile = Profile()
    fit(0.4, Late(), profile, Progress(0.4, profile))
    (line,) = lines(capsys)
    assert re.search(r"  D     -  G -?\d+\.\d{3}  ", line)


def test_a_resumed_run_speaks_of_new_ticks_only(fit: Any, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    profile = Profile()
    fit(0.4, Checkpoints(""))
    last = tmp_path / "checkpoints" / "last.ckpt"
    fit(0.8, Checkpoints(""), profile, Progress(0.8, profile), ckpt_path=last)
    (line,) = lines(capsys)
    assert line.startswith("tick 2   kimg 0.8/0.8")
    assert "0:00 left" in line


def test_back_where_it_started_a_run_does_not_guess_what_is_left(fit: Any, capsys: pytest.CaptureFixture) -> None:
    class Rollback(Callback):
        def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
            pl_module.images_seen = 0
            trainer.should_stop = True

    profile = Profile()
    fit(0.4, Rollback(), profile, Progress(0.4, profile))
    (line,) = lines(capsys)
    assert "kimg 0.0/0.4" in line
    assert "    - left" in line


def test_shares_are_in_percent_and_those_of_nothing_are_left_out() -> None:
    shares = {"other": 0.05, "data": 0.004, "generator": 0.346, "discriminator": 0.5, "regularizers": 0.1}
    assert costs(Tick(3, 250.0, shares, 1.23)) == "D 50% G 35% reg 10% data  0%  peak 1.2 GB"


def test_a_terminal_has_a_bar_which_is_gone_at_the_end(fit: Any, terminal: io.StringIO) -> None:
    profile = Profile()
    progress = Progress(0.6, profile, refresh=0.0)
    fit(0.6, profile, progress)
    shown = terminal.getvalue()
    assert "training" in shown
    assert "measuring" in shown
    assert "━" in shown
    assert progress.bar is None


def test_ranks_other_than_the_first_are_silent(fit: Any, capsys: pytest.CaptureFixture) -> None:
    profile = Profile()
    progress = Progress(0.1, profile)
    progress.disable()
    fit(0.1, profile, progress)
    assert "tick" not in capsys.readouterr().out
