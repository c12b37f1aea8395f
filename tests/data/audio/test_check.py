from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlit.cli.main import main
from ganlit.data.audio.facts import Facts, clipped
from ganlit.data.audio.reading import Sound

Make = Callable[..., Path]
Tone = Callable[..., np.ndarray]


def told(folder: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 1) -> str:
    assert main(["data", "check", str(folder), *words]) == code
    return capsys.readouterr().out


def test_a_folder_that_is_fine(make_sounds: Make, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_sounds(["cat/a.wav", "cat/b.wav", "dog/c.wav"], seconds=0.25)
    (folder / "cat" / "a.txt").write_text("words")
    said = told(folder, capsys, "--batch", "3", code=0)
    assert "sounds: 3 recordings, 3 of them readable, 0:01" in said
    assert "rates    8000 3" in said
    assert "seconds  0.25 to 0.25, half below 0.25" in said
    assert [line.split() for line in said.splitlines() if line.startswith(("cat", "dog"))] == [
        ["cat", "2", "0:00", "0.25", "to", "0.25", "0.25"],
        ["dog", "1", "0:00", "0.25", "to", "0.25", "0.25"],
    ]
    assert "Nothing would stop a training." in said
    assert "passed over: .txt 1" in said
    assert f"  source: {folder}\n  rate: 8000\n  segment: 2048\n" in said


def test_all_that_is_wrong_is_named(make_sounds: Make, tone: Tone, capsys: pytest.CaptureFixture[str]) -> None:
    hard = np.clip(tone(peak=3.0), -1, 1)
    names = [*"abcdefghijklmnopqrst", "short", "silent", "nan", "text", "low", "stereo", "loud", "hard", "half"]
    given: dict[str, Any] = {
        "short": tone()[:10],
        "silent": tone() * 1e-4,
        "nan": np.full((800, 1), np.nan),
        "text": b"words",
        "low": (tone(rate=4000), 4000),
        "stereo": tone(channels=2),
        "loud": tone(peak=5.0),
        "hard": hard,
        "half": np.concatenate([tone(), np.zeros((1000, 1), np.float32)]),
    }
    said = told(make_sounds([f"{name}.wav" for name in names], **given), capsys, "--batch", "8")
    for topic in ("too short", "silence", "not finite", "no recording", "rate", "channels", "beyond 1"):
        assert f"  {topic}: 1\n" in said
    assert "7 problems would stop a training:" in said
    assert "clipping: 1 recordings stand at the limit in rows of equal samples, most of all" in said
    assert "hard.wav with" in said
    assert "quiet: 1 recordings are silent for half of their time or more" in said
    assert "half.wav for 5" in said
    assert "mixed rates: recordings of 4000 1 are resampled to 8000" in said
    needed = said[said.index("What works, as init_args of the data:") :]
    for line in ("rate: 8000", "level: peak", "mix: true", "upsample: true", "skip_bad: true"):
        assert f"  {line}\n" in needed


def test_it_judges_by_what_is_asked_for(make_sounds: Make, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_sounds([f"{number}.wav" for number in range(4)])
    asked = ("--batch", "4", "--rate", "24000", "--segment", "4096")
    said = told(folder, capsys, *asked)
    assert "rate: 4\n" in said
    assert "short: 4 recordings are shorter than a window of 4096 samples, and end in silence" in said
    assert "Nothing would stop" in told(folder, capsys, *asked, "--upsample", code=0)
    assert "set mix: true to repeat their mean" in told(folder, capsys, "--batch", "4", "--channels", "2")


def test_too_few_are_cut(make_sounds: Make, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_sounds(["a.wav"], seconds=8.0)
    said = told(folder, capsys, "--batch", "4", "--segment", "1024")
    advice = "set batch to 1 or less, or cut: 1 to have pieces of so many seconds"
    assert f"1 usable recordings are fewer than a batch of 4: {advice}." in said
    assert "  cut: 1.0\n" in said
    assert "Nothing would stop" in told(folder, capsys, "--batch", "4", "--segment", "1024", "--cut", "1", code=0)


@given(st.integers(25, 3999), st.floats(0.5, 1), st.sampled_from([8000, 44100]), st.sampled_from([None, 2**15]))
def test_a_tone_that_touches_the_limit_is_not_clipped(pitch: int, peak: float, rate: int, steps: int | None) -> None:
    samples = peak * np.sin(2 * np.pi * pitch * np.arange(rate // 4) / rate + 0.3)[:, None]
    if 4 * pitch > rate or rate % pitch == 0:  # whose samples may come again and again
        return
    samples = samples if steps is None else (np.rint(samples * steps) / steps).clip(-1, 1 - 1 / steps)
    assert clipped(samples.astype(np.float32)) == 0


@given(st.integers(20, 200), st.floats(1.5, 5))
def test_a_tone_that_was_cut_is(pitch: int, peak: float) -> None:
    samples = (peak * np.sin(2 * np.pi * pitch * np.arange(8000) / 8000)[:, None]).clip(-1, 1).astype(np.float32)
    assert clipped(samples) > 100


def test_facts_are_right() -> None:
    square = np.tile([[0.5], [-0.5]], (800, 1)).astype(np.float32)
    found = Facts.of("a", Sound(np.concatenate([square, np.zeros_like(square)]), 8000), 3)
    assert (found.seconds, found.peak, found.quiet, found.clipped) == (0.4, 0.5, 0.5, 0)
    assert found.loudness == pytest.approx(0.5 / 2**0.5)
