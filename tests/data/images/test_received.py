"""Pictures that somebody sends: whatever they are, an image of the form or a sentence."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from ganlit.data.images.form import Form
from ganlit.data.images.received import received
from ganlit.errors import UserError

FORM = Form(8, 1)


def file_of(image: Image.Image, kind: str = "PNG") -> bytes:
    content = BytesIO()
    image.save(content, kind)
    return content.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that says that it is so large."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_one_of_the_form_comes_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    found = received(file_of(Image.fromarray(pixels)), FORM)
    assert torch.equal(found[0, 0], torch.from_numpy(pixels))


@pytest.mark.parametrize(
    ("mode", "size", "kind"),
    [
        ("RGB", (20, 12), "JPEG"),
        ("RGBA", (5, 9), "PNG"),
        ("CMYK", (8, 8), "TIFF"),
        ("P", (30, 30), "GIF"),
        ("I;16", (9, 8), "PNG"),
    ],
)
def test_other_sizes_and_kinds_are_brought_into_it(mode: str, size: tuple[int, int], kind: str) -> None:
    found = received(file_of(Image.new(mode, size), kind), FORM._replace(channels=3))
    assert found.shape == (1, 3, 8, 8)
    assert found.dtype == torch.uint8


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the picture is not an image: send one"),
        (b"<svg onload=alert(1)>", "the picture is not an image: send one"),
        (file_of(Image.effect_noise((64, 64), 90))[:999], "the picture is truncated or damaged"),
        (bomb(60_000), "the picture is too large"),
        (b"\x93NUMPY\x01\x00" + struct.pack("<H", 10) + b"{'descr': ", "the picture is"),
    ],
    ids=["empty", "svg", "half", "bomb", "array"],
)
def test_what_is_no_picture_is_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        received(content, FORM)


def test_no_more_bytes_than_pixels_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    content = file_of(Image.new("L", (8, 8)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)  # which is set for all that are to come
    monkeypatch.setenv("GANLIT_MAX_IMAGE_PIXELS", str(len(content) // 8 - 1))
    with pytest.raises(UserError, match="the picture is too large: send a smaller one"):
        received(content, FORM)
