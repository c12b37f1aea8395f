from __future__ import annotations

import io
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganlit.data.images import packed
from ganlit.data.images.packed import png

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def file_of(*parts: object, **options: bytes) -> io.BytesIO:
    return io.BytesIO(b"".join(png(*parts, **options)))


@settings(deadline=None, max_examples=40)
@given(
    channels=st.sampled_from([1, 2, 3, 4]),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    band=st.integers(1, 1000),
    smooth=st.booleans(),
)
def test_pillow_reads_what_is_packed(channels: int, height: int, width: int, band: int, smooth: bool) -> None:
    pixels = np.random.default_rng(height).integers(0, 256, (channels, height, width), dtype=np.uint8)
    if smooth:  # for which rows are kept as differences
        pixels = (np.add.outer(np.arange(height), np.arange(width)) % 256).astype(np.uint8)[None].repeat(channels, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "BAND", band)
        with Image.open(file_of(pixels)) as image:
            assert image.mode == MODES[channels]
            assert np.array_equal(np.atleast_3d(np.asarray(image)).transpose(2, 0, 1), pixels)


def test_16_bits_are_all_there() -> None:
    grey = np.arange(0, 2**16, 37, dtype=np.uint16)[None, None].repeat(3, 1)
    with Image.open(file_of(grey)) as image:
        assert image.mode == "I;16"
        assert np.array_equal(np.asarray(image), grey[0])
    decode = pytest.importorskip("imagecodecs").png_decode
    colour = np.random.default_rng(0).integers(0, 2**16, (3, 20, 30), dtype=np.uint16)
    alpha = 2**16 - 1 - colour[0]
    found = decode(file_of(colour, alpha).read())
    assert found.dtype == np.uint16
    assert np.array_equal(found.transpose(2, 0, 1), np.concatenate([colour, alpha[None]]))


def test_what_is_beside_the_pixels_is_in_the_file() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    alpha = np.array([[0, 1], [254, 255]], np.uint8)
    exif = Image.Exif()
    exif[271] = "Maker"
    with Image.open(file_of(pixels, alpha, profile=b"p" * 999, exif=exif.tobytes()[6:])) as image:
        image.load()
        assert image.mode == "RGBA"
        assert np.array_equal(np.asarray(image.getchannel("A")), alpha)
        assert image.info["icc_profile"] == b"p" * 999
        assert image.getexif()[271] == "Maker"


def test_files_are_no_larger_than_those_of_pillow() -> None:
    image = Image.open(import_module("matplotlib.cbook").get_sample_data("grace_hopper.jpg", asfileobj=False))
    theirs = io.BytesIO()
    image.save(theirs, "PNG")
    ours = file_of(np.asarray(image).transpose(2, 0, 1))
    assert len(ours.getvalue()) < 1.02 * len(theirs.getvalue())
