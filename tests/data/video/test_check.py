from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ganlit.cli.main import main
from ganlit.data.video.clips import Clips

Make = Callable[..., Path]
Shoot = Callable[..., np.ndarray]


def told(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 1) -> str:
    assert main(["data", "check", str(folder), *words]) == code
    return capsys.readouterr().out


def test_a_folder_that_is_fine(make_clips: Make, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_clips(["cat/a.mp4", "cat/b.mp4", "dog/c.mp4"])
    (folder / "cat" / "a.txt").write_text("words")
    said = told(folder, capsys, "--batch", "3", code=0)
    assert "clips: 3 clips, 3 of them readable, 24 frames, 0:02\n" in said
    assert "  sizes    16x16 3\n  kinds    RGB 3\n  rates    10 3\n  frames   8 to 8, half below 8\n" in said
    lines = [line.split() for line in said.splitlines() if line.startswith(("cat", "dog"))]
    assert lines == [["cat", "2", "8", "to", "8"], ["dog", "1", "8", "to", "8"]]
    assert "Nothing would stop a training." in said
    assert "passed over: .txt 1" in said
    assert f"  source: {folder}\n  frames: 8\n  resolution: 16\n" in said


def test_all_that_is_wrong_is_named(make_clips: Make, shoot: Shoot, capsys: pytest.CaptureFixture[str]) -> None:
    names = [*(f"{name}.mp4" for name in "abcdefghijklmnopqrst"), "text.mp4", "sound.mp4", "short.mp4", "still.mp4"]
    names += ["large.mp4", "wide.mp4", "vary.mp4", "fast.mp4", "gap"]
    folder = make_clips(
        names,
        text=b"words",
        sound=None,
        short=shoot(3),
        still=shoot(1),
        large=shoot(8, (32, 32)),
        wide=shoot(8, (24, 16)),
        vary=(shoot(8), [0, 100, 200, 300, 400, 500, 600, 1500]),
        fast=(shoot(24, step=3), 30),
    )
    (folder / "gap" / "004.png").unlink()
    said = told(folder, capsys, "--batch", "8")
    assert "29 clips, 26 of them readable" in said
    assert "8 problems would stop a training:" in said
    topics = {"no clip": 1, "nothing to see": 1, "too short": 1, "one frame": 1, "size": 2, "variable rate": 1}
    for topic, count in (topics | {"numbers": 1}).items():
        assert f"  {topic}: {count}\n" in said
    assert "short.mp4 has 3 frames, fewer than the 8 of a window: lower frames or stride until that is 3" in said
    assert "mixed rates: clips of 10 " in said
    needed = said[said.index("What works, as init_args of the data:") :]
    for line in ("frames: 8", "resolution: 16", "fps: 10.0", "fit: crop", "skip_bad: true"):
        assert f"  {line}\n" in needed


def test_what_works_works(make_clips: Make, shoot: Shoot, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_clips(["a.mp4", "b.mp4", "c.mp4", "d.mp4"], a=b"words", b=shoot(9, (32, 24)))
    said = told(folder, capsys, "--batch", "8")
    assert "4 usable clips" not in said
    needed = said[said.index("What works") :].splitlines()[1:]
    options = dict(line.strip().split(": ") for line in needed)
    assert options == {
        "source": str(folder),
        "frames": "8",
        "resolution": "16",
        "fit": "crop",
        "skip_bad": "true",
        "batch": "3",
    }
    data = Clips(str(folder), 8, 16, fit="crop", skip_bad=True, batch=3, val_images=3, test_images=3)
    data.prepare_data()
    data.setup("fit")
    assert len(data.dataset) == 3


def test_it_judges_by_what_is_asked_for(make_clips: Make, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_clips([f"{number}.mp4" for number in range(3)])
    said = told(folder, capsys, "--batch", "3", "--fps", "12.5", "--frames", "16", "--resolution", "8")
    assert "is 16x16, not 8x8: set fit: resize" in said
    said = told(folder, capsys, "--batch", "3", "--fps", "12.5")
    assert "has 10 frames a second, fewer than the 12.5 that are wanted: set fps: 10 or less." in said
    assert "fewer than the 15 of a window" in told(folder, capsys, "--batch", "3", "--frames", "8", "--stride", "2")


def test_too_few_are_cut(make_clips: Make, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_clips(["a.mp4"], frames=40)
    said = told(folder, capsys, "--batch", "4", "--frames", "4")
    advice = "set batch to 1 or less, or cut: 5 to have pieces of so many frames"
    assert f"1 usable clips are fewer than a batch of 4: {advice}." in said
    assert "  cut: 5\n" in said
    assert "Nothing would stop" in told(folder, capsys, "--batch", "4", "--frames", "4", "--cut", "5", code=0)
