"""torchrun starts the processes, as under many clusters' rules; that such a run is bitwise the same: test_resume.py."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

from ganlit.records import state


def test_it_ends_well_and_only_the_first_rank_speaks(commands: Any) -> None:
    answer = commands["resumed"]
    assert answer.codes == [0], answer.err[0]
    for line in ("resuming runs/stopped/checkpoints/last.ckpt", "done in ", "stage    squares: "):
        assert (answer.out[0] + answer.err[0]).count(line) == 1


def test_it_is_one_run_of_two_processes_whose_lock_is_given_back(commands: Any, place: Path) -> None:
    found = state.read(place / "runs/stopped")
    assert (found.phase, found.processes, found.starts) == ("done", 2, 2)
    with (place / "runs/stopped/lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_runs_share_one_copy_of_the_pixels(commands: Any, place: Path) -> None:
    assert commands["resumed"].codes == commands["whole"].codes[:1] == [0]
    (pixels,) = (place / "scratch").rglob("pixels")
    (cached,) = (place / "cache").rglob("pixels")
    assert pixels.read_bytes() == cached.read_bytes()
    assert not [path for path in pixels.parents[1].iterdir() if path.name.startswith(".") and path.is_dir()]
