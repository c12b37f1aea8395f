"""Pictures of 16 bits, in a folder: what becomes of their values."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlit.data.images.decoding import decoded
from ganlit.data.images.depth import Depth, depth_of, upper_bits
from ganlit.data.images.fitting import Form
from ganlit.data.images.folder import Folder
from ganlit.data.images.modality import ImageModality
from ganlit.data.source import BadItem
from ganlit.errors import UserError

Make = Callable[..., Path]

CONVERTED = Form(4, 1, convert=True)


def up_to(highest: int, kind: type = np.uint16, lowest: int = 0) -> Image.Image:
    return Image.fromarray(np.linspace(lowest, highest, 16).reshape(4, 4).astype(kind))


@pytest.fixture
def filled(tmp_path: Path) -> Callable[..., Folder]:
    """A folder of these pictures, as TIFF, which keeps all of them."""

    def fill(*pictures: Image.Image) -> Folder:
        for number, picture in enumerate(pictures):
            picture.save(tmp_path / f"{number}.tif")
        return Folder(tmp_path)

    return fill


@given(st.lists(st.integers(0, 65535), min_size=1))
def test_the_upper_bits_are_kept(values: list[int]) -> None:
    picture = Image.fromarray(np.array([values], np.uint16))
    assert np.asarray(upper_bits(picture)).tolist() == [[value // 256 for value in values]]
    assert depth_of(picture) == Depth(min(values), max(values), max(values))


@pytest.mark.parametrize("kind", [np.uint16, np.int32])
def test_the_whole_range_becomes_8_bits_and_that_is_told(kind: type, filled: Callable[..., Folder]) -> None:
    """A dark picture among bright ones is one, and so is a black one."""
    dark, black = up_to(700, kind), up_to(0, kind)
    found = decoded(filled(up_to(65535, kind), dark, black, up_to(255, np.uint8)), CONVERTED)
    wanted = [np.asarray(picture).astype(int) // 256 for picture in (up_to(65535, kind), dark, black)]
    assert found.reference.items[:3, 0].tolist() == np.stack(wanted).tolist()
    assert found.about["notes"] == ["3 of 4 pictures have 16 bits a channel, of which the upper 8 are kept"]


def test_pictures_of_8_bits_are_no_news(filled: Callable[..., Folder]) -> None:
    assert decoded(filled(up_to(255, np.uint8)), CONVERTED).about["notes"] == []


@pytest.mark.parametrize("highest", [2, 255, 1023, 4095, 2**14 - 1, 2**15 - 1])
@pytest.mark.parametrize("kind", [np.uint16, np.int32])
@pytest.mark.parametrize("convert", [False, True])
def test_what_would_turn_dark_is_refused_whatever_is_asked(
    highest: int, kind: type, convert: bool, filled: Callable[..., Folder]
) -> None:
    source = filled(up_to(highest // 2, kind), up_to(highest, kind), up_to(255, np.uint8))
    said = rf"0.tif has 16 bits a channel, of which the pictures here use values up to {highest} of 65535: scale all"
    with pytest.raises(BadItem, match=said) as raised:
        decoded(source, CONVERTED._replace(convert=convert))
    assert "skip_bad" not in str(raised.value)
    with pytest.raises(UserError, match="of which the pictures here use"):
        ImageModality().open(str(source.folder), "train", Path())[0:1]


def test_one_bright_picture_says_that_the_range_is_used(filled: Callable[..., Folder]) -> None:
    source = filled(up_to(4095), up_to(300), up_to(2**15))
    assert decoded(source, CONVERTED).reference.items.flatten(1).amax(1).tolist() == [15, 1, 128]
    assert ImageModality().open(str(source.folder), "train", Path())[0:3].amax((1, 2, 3)).tolist() == [15, 1, 128]


@pytest.mark.parametrize(("lowest", "highest"), [(-1, 65535), (0, 65536), (-(2**31), 2**31 - 1)])
def test_values_beyond_16_bits_are_refused_and_not_clipped(
    lowest: int, highest: int, filled: Callable[..., Folder]
) -> None:
    source = filled(up_to(65535), Image.fromarray(np.array([[lowest, highest]] * 2, np.int32)))
    with pytest.raises(BadItem, match=f"1.tif holds values from {lowest} to {highest}: scale all to 8 bits"):
        decoded(source, Form(2, 1, "resize", convert=True))


def test_colour_of_12_bits_is_refused(deep_png: Callable[..., bytes], tmp_path: Path) -> None:
    for highest in (4095, 200):
        (tmp_path / "1.png").write_bytes(deep_png(np.full((4, 4, 3), highest)))
        with pytest.raises(BadItem, match=f"the pictures here use values up to {highest | 255} of 65535"):
            decoded(Folder(tmp_path), Form(4, 3, convert=True))
    (tmp_path / "2.png").write_bytes(deep_png(np.full((4, 4, 3), 40_000)))
    found = decoded(Folder(tmp_path), Form(4, 3, convert=True)).reference.items
    assert torch.equal(found[1], torch.full((3, 4, 4), 40_000 // 256, dtype=torch.uint8))


@pytest.mark.parametrize(
    ("highest", "line", "advice"),
    [
        (65535, "values   0 to 65535, of 65535 in 16 bits, of which convert: true keeps the upper 8 bits", True),
        (4095, "values   0 to 4095, of 65535 in 16 bits\n", False),
    ],
)
def test_a_check_says_what_the_values_are(
    highest: int, line: str, advice: bool, filled: Callable[..., Folder], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        ImageModality().check(str(filled(up_to(highest)).folder), "train", Path(), batch=1)
    text = capsys.readouterr().out
    assert line in text
    assert ("  convert: true\n" in text) == advice
    assert "skip_bad" not in text.partition("What works")[2]


def test_a_picture_of_floats_is_refused(filled: Callable[..., Folder]) -> None:
    content = io.BytesIO()
    Image.new("F", (4, 4), 0.5).save(content, "TIFF")
    with pytest.raises(BadItem, match=r"holds floating-point pixels: save it with 8 bits a channel, or train"):
        decoded(filled(Image.open(content)), CONVERTED)
