"""The page in a real browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import wave
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganlit.studies.report.report import report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
QUIET = ("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=3000")

# Reads the page as a visitor would, and leaves what it has seen in the document.
VISIT = """
<script>
addEventListener("load", () => {
  const order = () => [...document.querySelectorAll("#settings tbody tr")].map(row => row.cells[0].textContent);
  const click = name => [...document.querySelectorAll("#settings button")].find(b => b.textContent === name).click();
  const seen = {ready: document.getElementById("settings").dataset.ready, first: order()};
  click("#");
  click("#");
  seen.backwards = order();
  click("fid2k (a) test");
  seen.score = order();
  seen.images = [...document.images].filter(i => i.src).map(i => i.naturalWidth);
  seen.fetched = performance.getEntriesByType("resource").map(e => e.name).filter(name => !name.startsWith("data:"));
  document.querySelector(".grid button").click();
  seen.open = document.querySelector("dialog").open;
  seen.width = document.querySelector("dialog img").width;
  seen.injected = typeof injected;
  const tell = () => {
    const line = players => [...players.children].map(one => [one.title, one.duration]);
    seen.players = [...document.querySelectorAll(".players")].map(line);
    document.body.dataset.seen = JSON.stringify(seen);
  };
  document.querySelectorAll("audio").forEach(one => one.addEventListener("loadedmetadata", tell));
  tell();
});
</script>
"""


def visited(page: Path, profile: Path) -> dict[str, Any]:
    copy = page.with_name("visited.html")
    copy.write_text(page.read_text().replace("</body>", f"{VISIT}</body>"))
    command = [CHROMIUM, *FLAGS, *QUIET, f"--user-data-dir={profile}", "--dump-dom", copy.resolve().as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False).stdout
    return json.loads(html.unescape(re.search(r'data-seen="([^"]*)"', dom)[1]))


def hiss(path: Path, seconds: float) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(0).integers(-999, 999, round(8000 * seconds), "<i2").tobytes())


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_sorts_the_table_and_asks_nobody(sweep: Path, tmp_path: Path) -> None:
    config = Path("runs/0004-lr/0012/config.yaml")
    config.write_text(config.read_text().replace("source: digits", "source: </td><script>injected = 1</script>"))
    for seed in range(1, 4):
        for row, column in product(range(3), range(2)):
            hiss(Path(f"runs/0004-lr/{seed:04}/samples/kimg000040.0-{row}{column}.wav"), 0.25 * (row + 1))
    report(sweep)
    seen = visited(sweep / "report" / "report.html", tmp_path / "profile")
    assert seen["ready"] == "yes"
    assert seen["first"] == ["1", "2", "3", "4", "5"]
    assert seen["backwards"] == ["5", "4", "3", "2", "1"]
    assert seen["score"][:3] == ["1", "2", "3"]  # the others have no number under this protocol
    assert len(seen["images"]) == 1 + 5
    assert min(seen["images"]) > 0
    assert seen["fetched"] == []
    assert seen["open"]
    assert seen["width"] % 342 == 0  # whole pixels
    assert seen["injected"] == "undefined"
    assert seen["players"] == [
        [[f"row {row + 1}, column {column}", 0.25 * (row + 1)] for row in range(3)] for column in (1, 2)
    ]


def test_the_page_is_one_file(sweep: Path) -> None:
    report(sweep)
    text = re.sub(r"base64,[^\"]*", "", (sweep / "report" / "report.html").read_text())
    addresses = re.findall(r'\s(?:src|href)="([^"]*)"', text)
    assert set(addresses) == {"data:image/png;"}
    assert not re.search(r"https?://|@import|url\(", text)
    assert "CUDA error &lt;out&gt; of | memory" in text


def test_the_median_seed_stands_for_its_setting(tmp_path: Path, make: Callable[..., Path]) -> None:
    for seed, end in enumerate((30.0, 10.0, 20.0)):
        make(tmp_path / str(seed), {("seed",): seed}, end)
    report(tmp_path)
    assert "seed 2, fid2k test 19.5, at 40 kimg" in (tmp_path / "report" / "report.html").read_text()


def test_what_belongs_together_is_heard_side_by_side(tmp_path: Path, make: Callable[..., Path]) -> None:
    run = make(tmp_path / "a", {})
    names = ["", *(f"-{row}{column}" for row in range(2) for column in range(3)), "-prior-00", "-odd"]
    for name in names[1:]:
        hiss(run / "samples" / f"kimg000040.0{name}.wav", 0.02)
    report(tmp_path)
    text = (tmp_path / "report" / "report.html").read_text()
    lines = [re.findall(r'<audio [^>]*title="([^"]*)"', line) for line in text.split('<div class="players">')[1:]]
    columns = [[f"row {row}, column {column}" for row in (1, 2)] for column in (1, 2, 3)]
    assert sorted(lines) == sorted([*columns, ["row 1, column 1"], ["kimg000040.0-odd"]])
    assert text.count('src="data:audio/') == 8
    assert "Each line of players is a column of the picture above it" in text


def test_large_grids_are_scaled_down_and_that_is_said(tmp_path: Path, make: Callable[..., Path]) -> None:
    run = make(tmp_path / "a", {})
    Image.effect_noise((1500, 1000), 90).save(run / "samples" / "kimg000040.0.png")
    broken = make(tmp_path / "b", {("data", "init_args", "batch"): 8})
    (broken / "samples" / "kimg000040.0.png").write_bytes(b"half")
    report(tmp_path)
    text = (tmp_path / "report" / "report.html").read_text()
    assert text.count("scaled down") == 1
    assert text.count("data:image/jpeg") == 1
    assert len(text) < 2_000_000
