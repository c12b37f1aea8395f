from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from ganlit.data.images.archive import Archive
from ganlit.data.images.folder import Folder
from ganlit.data.images.source import BadPicture

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
