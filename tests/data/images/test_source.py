from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlit.data.images.archive import Archive
from ganlit.data.images.decoding import fitted
from ganlit.data.images.fitting import Form
from ganlit.data.images.folder import Folder
from ganlit.data.images.kind import RGB
from ganlit.data.images.opening import Opened, opened
from ganlit.data.images.source import Source
from ganlit.data.source import BadItem

Paint = Callable[..., Image.Image]


def content(image: Image.Image, format: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format)
    return stream.getvalue()


@pytest.mark.parametrize(("format", "suffix"), [("PNG", "png"), ("JPEG", "jpg"), ("BMP", "bmp"), ("GIF", "gif")])
def test_a_truncated_picture_is_named(make_folder: Callable[..., Path], paint: Paint, format: str, suffix: str) -> None:
    whole = content(paint(size=(40, 40)), format)
    source = Folder(make_folder([f"cut.{suffix}", "fine.png"], cut=whole[: len(whole) // 2]))
    with pytest.raises(BadItem, match=rf"photos/cut.{suffix} is truncated or damaged \(.*\): replace it, or set skip"):
        source.picture(0)
    assert source.picture(1)[0].kind == RGB


class Whole(Source):
    """One picture that is in memory."""

    name = fingerprint = "whole"

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __len__(self) -> int:
        return 1

    def title(self, index: int) -> str:
        return "a picture"

    def opened(self, index: int) -> Opened:
        return opened(io.BytesIO(self.content))

    def label(self, index: int) -> int | None:
        return 0


WRITTEN = [
    *(("PNG", mode) for mode in ("1", "L", "P", "LA", "RGB", "RGBA", "I;16")),
    *(("TIFF", mode) for mode in ("1", "L", "P", "CMYK", "RGB", "RGBA", "I;16", "I", "F", "LAB")),
    *(("BMP", "RGB"), ("GIF", "P"), ("JPEG", "RGB"), ("JPEG", "CMYK"), ("PPM", "L"), ("WEBP", "RGBA"), ("TGA", "LA")),
]
PIXELS = np.arange(4 * 5 * 3, dtype=np.uint16).reshape(4, 5, 3) * 1000


def deep(kind: str) -> bytes:
    """A file of 16 bits that Pillow does not write."""
    stream = io.BytesIO()
    match kind:
        case "PNG":
            return imagecodecs.png_encode(PIXELS)
        case "TIFF":
            tifffile.imwrite(stream, PIXELS, photometric="minisblack", planarconfig="contig", compression="zlib")
        case "NPY":
            np.save(stream, PIXELS)
        case "NPZ":
            np.savez_compressed(stream, PIXELS)
    return stream.getvalue()


def spoilt(whole: bytes, data: st.DataObject) -> Whole:
    found = bytearray(whole)
    for place in data.draw(st.lists(st.integers(0, len(found) - 1), min_size=1, max_size=4)):
        found[place] = data.draw(st.integers(0, 255))
    return Whole(bytes(found))


@given(st.sampled_from(WRITTEN), st.sampled_from([8, 16]), st.data())
def test_a_picture_that_is_hit_anywhere_is_read_or_refused(
    written: tuple[str, str], depth: int, data: st.DataObject
) -> None:
    source = spoilt(content(Image.new(written[1], (5, 4)), written[0]), data)
    with suppress(BadItem), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pixels = fitted(source, 0, Form(8, 3, "crop", convert=True, depth=depth)).pixels
        assert (pixels.shape, pixels.itemsize) == ((1, 3, 8, 8), depth // 8)


@given(st.sampled_from(["PNG", "TIFF", "NPY", "NPZ"]), st.sampled_from([8, 16, "float"]), st.data())
def test_so_is_a_deep_one(kind: str, depth: Any, data: st.DataObject) -> None:
    form = Form(8, 3, "crop", convert=True, depth=depth, range=(0, 2**16))
    with suppress(BadItem), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert fitted(spoilt(deep(kind), data), 0, form).pixels.shape == (1, 3, 8, 8)


@pytest.mark.parametrize("file", ["fake.png", "notes.txt", "empty.png"])
def test_a_file_that_is_no_picture_is_named(make_folder: Callable[..., Path], file: str) -> None:
    source = Folder(make_folder([file], fake=b"text", notes=b"text", empty=b""))
    with pytest.raises(BadItem, match=f"photos/{file} is not an image: remove it, or set skip_bad: true") as raised:
        source.picture(0)
    assert raised.value.topic == "not an image"


def test_a_damaged_member_is_named(make_zip: Callable[..., Path]) -> None:
    path = make_zip(["a.png"])
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("a.png").header_offset + 40
    damaged = bytearray(path.read_bytes())
    damaged[start : start + 60] = bytes(60)
    path.write_bytes(damaged)
    with pytest.raises(BadItem, match=r"set.zip: a.png is truncated or damaged \(Bad CRC"):
        Archive(path).picture(0)
