"""Films beside the pictures of a report: GIFs move by themselves, others have a player."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ganlit.data.video.writing import write_gif, write_mp4
from ganlit.studies.report.report import report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
WATCH = """
<script>
addEventListener("load", () => {
  const player = document.querySelector("video");
  const tell = () => {
    const films = [...document.querySelectorAll("img.film")].map(film => [film.naturalWidth, film.naturalHeight]);
    document.body.dataset.seen = JSON.stringify({films, length: player.duration, width: player.videoWidth});
  };
  player.addEventListener("loadedmetadata", tell);
  if (player.readyState) tell();
});
</script>
"""


@pytest.fixture
def page(tmp_path: Path, make: Callable[..., Path]) -> Path:
    """A report of a run with six GIFs and an MP4 of half a second."""
    samples = make(tmp_path / "a", {}) / "samples"
    clip = (torch.arange(5)[None, :, None, None] * 50).expand(1, 5, 24, 32).to(torch.uint8)
    for place in ("00", "01", "02", "03", "10", "11"):
        write_gif(clip, samples / f"kimg000040.0-{place}", 10)
    write_mp4(clip, samples / "kimg000040.0-long", 10)
    report(tmp_path)
    return tmp_path / "report" / "report.html"


def test_films_move_in_a_report(page: Path) -> None:
    text = page.read_text()
    assert text.count('<img class="film" src="data:image/gif;base64,') == 6
    assert text.count('<video controls loop muted src="data:video/mp4;base64,') == 1


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_plays_them(page: Path, tmp_path: Path) -> None:
    page.write_text(page.read_text().replace("</body>", f"{WATCH}</body>"))
    budget = ("--virtual-time-budget=3000", f"--user-data-dir={tmp_path / 'profile'}")
    command = [CHROMIUM, *FLAGS, *budget, "--dump-dom", page.resolve().as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False).stdout
    seen = json.loads(html.unescape(re.search(r'data-seen="([^"]*)"', dom)[1]))
    assert seen["films"] == [[32, 24]] * 6
    assert seen["length"] == pytest.approx(0.5, abs=0.02)
    assert seen["width"] == 32
