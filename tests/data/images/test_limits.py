from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from ganlit.data.images.catalogue import open_source
from ganlit.data.images.limits import VARIABLE, most_bytes, most_pixels
from ganlit.data.source import BadItem
from ganlit.errors import UserError

PILLOWS = 2 * Image.MAX_IMAGE_PIXELS


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What Pillow is told lasts: tests leave no trace of it."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    with warnings.catch_warnings():
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture of 40 x 30 pixels."""
    Image.new("L", (40, 30)).save(tmp_path / "a.png")
    return tmp_path


def test_the_limit_is_pillows_or_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert most_pixels() == PILLOWS
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert most_pixels() == math.inf
    monkeypatch.setenv(VARIABLE, "1000")
    assert (most_pixels(), most_bytes()) == (1000, 8000)


@pytest.mark.parametrize("told", ["0", "-1", "1e9", "many", "1.5", " ", "\u0661"])
def test_a_limit_that_is_no_number_is_refused(told: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv(VARIABLE, told)
    with pytest.raises(UserError, match=f"^{VARIABLE} is {told}: set it to a number of pixels such as 500000000"):
        open_source(str(folder), "train", Path())


@pytest.mark.parametrize("pixels", [1198, 600, 1])
def test_a_larger_picture_is_whole_but_too_large(pixels: int, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(pixels))
    monkeypatch.setattr("ganlit.data.images.tree.most_bytes", lambda: 10**6)
    with pytest.raises(BadItem) as raised:
        open_source(str(folder), "train", Path()).picture(0)
    told = f"Image size (1200 pixels) exceeds limit of {pixels + pixels % 2} pixels"
    assert str(raised.value) == f"{folder}/a.png is too large ({told}): shrink it, or set {VARIABLE} to more."


def test_up_to_the_limit_a_picture_is_read_without_a_word(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for pixels in ("1200", "1300", "9" * 30):
        monkeypatch.setenv(VARIABLE, pixels)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            assert open_source(str(folder), "train", Path()).picture(0)[0].image.size == (40, 30)
        assert not said


def test_a_picture_that_memory_cannot_hold_is_named(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def load(image: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(BadItem, match=r"a.png needs more memory than there is: shrink it"):
        open_source(str(folder), "train", Path()).picture(0)


def test_a_file_of_more_bytes_than_pixels_can_have_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO()
    Image.new("L", (4, 4)).save(content, "PNG")
    (folder / "a.png").write_bytes(content.getvalue() + bytes(2 * 10**6))
    monkeypatch.setenv(VARIABLE, "125000")
    with pytest.raises(BadItem, match=r"a.png has 2 MB, more than the 1 that are read: replace it"):
        open_source(str(folder), "train", Path()).picture(0)
