from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlit.data.images.archive import Archive
from ganlit.data.images.decoding import fitted
from ganlit.data.images.fitting import Form
from ganlit.data.images.folder import Folder
from ganlit.data.images.source import BadPicture, Source

Paint = Callable[..., Image.Image]


def content(image: Image.Image, format: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format)
    return stream.getvalue()


@pytest.mark.parametrize(("format", "suffix"), [("PNG", "png"), ("JPEG", "jpg"), ("BMP", "bmp"), ("GIF", "gif")])
def test_a_truncated_picture_is_named(make_folder: Callable[..., Path], paint: Paint, format: str, suffix: str) -> None:
    whole = content(paint(size=(40, 40)), format)
    source = Folder(make_folder([f"cut.{suffix}", "fine.png"], cut=whole[: len(whole) // 2]))
    with pytest.raises(
        BadPicture, match=rf"photos/cut.{suffix} is truncated or damaged \(.*\): replace it, or set skip"
    ):
        source.picture(0)
    assert source.picture(1)[0].kind == "RGB"


class Whole(Source):
    """One picture that is in memory."""

    name = fingerprint = "whole"

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __len__(self) -> int:
        return 1

    def title(self, index: int) -> str:
        return "a picture"

    def opened(self, index: int) -> Image.Image:
        return Image.open(io.BytesIO(self.content))

    def label(self, index: int) -> int | None:
        return 0


WRITTEN = [
    *(("PNG", mode) for mode in ("1", "L", "P", "LA", "RGB", "RGBA", "I;16")),
    *(("TIFF", mode) for mode in ("1", "L", "P", "CMYK", "RGB", "RGBA", "I;16", "I", "F", "LAB")),
    *(("BMP", "RGB"), ("GIF", "P"), ("JPEG", "RGB"), ("JPEG", "CMYK"), ("PPM", "L"), ("WEBP", "RGBA"), ("TGA", "LA")),
]


@given(st.sampled_from(WRITTEN), st.data())
def test_a_picture_that_is_hit_anywhere_is_read_or_refused(written: tuple[str, str], data: st.DataObject) -> None:
    spoilt = bytearray(content(Image.new(written[1], (5, 4)), written[0]))
    for place in data.draw(st.lists(st.integers(0, len(spoilt) - 1), min_size=1, max_size=4)):
        spoilt[place] = data.draw(st.integers(0, 255))
    with suppress(BadPicture), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert fitted(Whole(bytes(spoilt)), 0, Form(8, 3, "crop", convert=True)).pixels.shape == (3, 8, 8)


@pytest.mark.parametrize("file", ["fake.png", "notes.txt", "empty.png"])
def test_a_file_that_is_no_picture_is_named(make_folder: Callable[..., Path], file: str) -> None:
    source = Folder(make_folder([file], fake=b"text", notes=b"text", empty=b""))
    with pytest.raises(BadPicture, match=f"photos/{file} is not an image: remove it, or set skip_bad: true") as raised:
        source.picture(0)
    assert raised.value.topic == "not an image"


def test_a_damaged_member_is_named(make_zip: Callable[..., Path]) -> None:
    path = make_zip(["a.png"])
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("a.png").header_offset + 40
    damaged = bytearray(path.read_bytes())
    damaged[start : start + 60] = bytes(60)
    path.write_bytes(damaged)
    with pytest.raises(BadPicture, match=r"set.zip: a.png is truncated or damaged \(Bad CRC"):
        Archive(path).picture(0)
