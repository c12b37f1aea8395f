"""The page of the latent tools, as a text and in a real browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ganlit.errors import UserError
from ganlit.studies.latent.interpolate import interpolate
from ganlit.studies.latent.page import ROWS, figure, flat, page
from ganlit.studies.latent.spectrum import spectrum

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
QUIET = ("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=3000")

OPEN = "style-src 'unsafe-inline'"

VISIT = """
<script nonce="visit">
addEventListener("load", () => {
  const seen = {images: [...document.images].map(each => each.naturalWidth)};
  seen.fetched = performance.getEntriesByType("resource").map(e => e.name).filter(name => !name.startsWith("data:"));
  seen.injected = typeof injected;
  seen.over = document.documentElement.scrollWidth - innerWidth;
  document.body.dataset.seen = JSON.stringify(seen);
});
</script>
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what two tools have found."""
    return tmp_path_factory.mktemp("styled")


@pytest.fixture
def filled(run: Path) -> Path:
    if not (run / "latent-spectrum").exists():
        spectrum("styled", count=50, out=str(run / "latent-spectrum"))
        interpolate("styled", seeds="0-1", steps=3, out=str(run / "latent-interpolate"))
    return run


def test_it_is_one_file_with_all_that_was_found(filled: Path) -> None:
    page(str(filled))
    text = (filled / "latent.html").read_text()
    plain = re.sub(r"base64,[^\"]*", "", text)
    assert re.findall(r'<section id="([^"]*)"', text) == ["interpolate", "spectrum"]
    assert {address.partition("/")[0] for address in re.findall(r'\ssrc="([^"]*)"', plain)} == {
        "data:image",
        "data:video",
    } - (set() if "data:video" in plain else {"data:video"})
    assert not re.search(r"https?://|@import|url\(", plain)
    assert "Draw the spectrum of w" in plain
    assert "effective dimension" in plain
    assert "eigenvalues: 4 rows" in plain
    assert "script" not in plain  # nor may any run
    page(str(filled))  # its own is written anew


def test_what_others_have_written_is_text_and_their_files_are_left(filled: Path, tmp_path: Path) -> None:
    shutil.copytree(filled / "latent-spectrum", tmp_path / "latent-spectrum")
    path = tmp_path / "latent-spectrum" / "numbers.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "<script>injected = 1</script>": "<b>"}))
    (tmp_path / "latent-spectrum" / "spectrum.png").write_bytes(b"half")
    page(str(tmp_path))
    text = (tmp_path / "latent.html").read_text()
    assert "<b>" not in text
    assert "&lt;script&gt;injected" in text
    assert "Too large for a page, or damaged: spectrum.png" in text
    (tmp_path / "latent.html").write_text("mine")
    with pytest.raises(UserError, match="exists already: name a new file"):
        page(str(tmp_path))
    assert (tmp_path / "latent.html").read_text() == "mine"


def test_a_long_table_says_how_long_it_is_and_how_much_of_it_is_left_out(filled: Path, tmp_path: Path) -> None:
    shutil.copytree(filled / "latent-spectrum", tmp_path / "latent-spectrum")
    (tmp_path / "latent-spectrum" / "units.csv").write_text("unit\n" + "".join(f"{n}\n" for n in range(ROWS + 50)))
    page(str(tmp_path))
    text = (tmp_path / "latent.html").read_text()
    assert f"units: {ROWS + 50} rows, of which 50 are left out" in text
    assert text.count("<tr><td>") == ROWS + 4  # the eigenvalues


def test_numbers_are_read_by_people() -> None:
    told = {"of_a": {"b": 0.123456}, "c": [1, 2.5], "many": [0.5] * 99, "rows": [{"a": 1}], "mig2k/x_y": True}
    assert dict(flat(told)) == {"of a: b": "0.1235", "c": "1, 2.5", "mig2k/x_y": "yes"}
    assert figure(None) == "none"


def test_nothing_found_and_damage_are_a_sentence_each(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no folder of a latent tool: run one first"):
        page(str(tmp_path))
    (tmp_path / "latent-mix").mkdir()
    (tmp_path / "latent-mix" / "numbers.json").write_text("{")
    with pytest.raises(
        UserError, match=r"numbers.json cannot be read \(.*\): remove .*latent-mix, and run its command"
    ):
        page(str(tmp_path))
    assert not (tmp_path / "latent.html").exists()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_shows_all_of_it_and_asks_nobody_at_any_width(filled: Path, tmp_path: Path) -> None:
    page(str(filled))
    copy = tmp_path / "visited.html"
    text = (filled / "latent.html").read_text()
    assert text.count(OPEN) == 1
    copy.write_text(text.replace(OPEN, f"{OPEN}; script-src 'nonce-visit'").replace("</body>", f"{VISIT}</body>"))
    command = [CHROMIUM, *FLAGS, *QUIET, "--window-size=500,900", f"--user-data-dir={tmp_path / 'profile'}"]
    dom = subprocess.run(
        [*command, "--dump-dom", copy.as_uri()], capture_output=True, text=True, timeout=90, check=False
    ).stdout
    seen: dict[str, Any] = json.loads(html.unescape(re.search(r'data-seen="([^"]*)"', dom)[1]))
    assert min(seen["images"]) > 0
    assert len(seen["images"]) >= 2
    assert seen["fetched"] == []
    assert seen["injected"] == "undefined"
    assert seen["over"] <= 0
