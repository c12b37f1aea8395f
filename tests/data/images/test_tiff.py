"""TIFF files that hold more than Pillow does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from ganlit.data.images.decoding import decoded
from ganlit.data.images.folder import Folder
from ganlit.data.images.foreign import ORIENTATION, upright
from ganlit.data.images.form import Form
from ganlit.data.source import BadItem


def noise(channels: int, dtype: str, seed: int = 0) -> np.ndarray:
    """[4, 6, C] over the whole range."""
    values = np.random.default_rng(seed).integers(0, 2**16, (4, 6, channels))
    return (values / 2**16).astype(dtype) if dtype.startswith("f") else (values * 2**16 // 2**16).astype(dtype)


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Folder]:
    def write(pixels: np.ndarray, **options: Any) -> Folder:
        tifffile.imwrite(tmp_path / "x.tif", pixels, **options)
        return Folder(tmp_path)

    return write


@pytest.mark.parametrize("compression", [None, "lzw", "zlib"])
@pytest.mark.parametrize(("dtype", "depth"), [("u1", 8), ("u2", 16), ("f4", "float"), ("f2", "float")])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 9])
def test_any_number_of_channels_of_any_depth_is_read(
    channels: int, dtype: str, depth: Any, compression: str | None, written: Callable[..., Folder]
) -> None:
    pixels = noise(channels, dtype)
    planar = {"planarconfig": "separate" if compression else "contig"} if channels > 1 else {}
    laid = pixels.transpose(2, 0, 1) if compression else pixels
    kind = "rgb" if channels == 3 else "minisblack"
    source = written(laid if channels > 1 else laid.squeeze(), photometric=kind, compression=compression, **planar)
    items = decoded(source, Form(4, channels, "crop", depth=depth)).reference.items
    assert np.array_equal(items[0], pixels[:, 1:5].transpose(2, 0, 1).astype({8: "u1", 16: "u2"}.get(depth, "f4")))


@pytest.mark.parametrize("options", [{}, {"imagej": True, "metadata": {"axes": "CYX"}}])
def test_grey_pages_are_channels_where_as_many_are_wanted(options: Any, written: Callable[..., Folder]) -> None:
    pages = noise(5, "u2").transpose(2, 0, 1)
    source = written(pages, photometric="minisblack", **options)
    assert np.array_equal(decoded(source, Form(4, 5, "crop", depth=16)).reference.items[0], pages[:, :, 1:5])
    for depth in (8, 16):
        form = Form(4, 1, "crop", depth=depth)
        with pytest.raises(BadItem, match=r"holds 5 frames: save one of them|has 16 bits a channel"):
            decoded(source, form)
        first = decoded(source, form._replace(convert=True)).reference.items[0]
        assert np.array_equal(first, pages[:1, :, 1:5] >> (16 - depth))


def test_the_first_channel_is_not_taken_for_all(written: Callable[..., Folder]) -> None:
    """Pillow does, where each lies apart."""
    source = written(noise(4, "u1").transpose(2, 0, 1), photometric="minisblack", planarconfig="separate")
    with pytest.raises(BadItem, match="has 4 channels, not 1: train with channels: 4, or save 1 of them"):
        decoded(source, Form(4, 1, "crop", convert=True))


def test_alpha_is_kept_or_composited(written: Callable[..., Folder]) -> None:
    pixels = noise(4, "u2")
    source = written(pixels, photometric="rgb", extrasamples=["unassalpha"])
    assert np.array_equal(decoded(source, Form(4, 4, "crop", depth=16)).reference.items[0, 3], pixels[:, 1:5, 3])
    with pytest.raises(BadItem, match=r"has an alpha channel: flatten it, .* or channels: 4 to keep it"):
        decoded(source, Form(4, 3, "crop", depth=16))
    mixed = decoded(source, Form(4, 3, "crop", True, 16)).reference.items[0]
    wanted = np.rint(pixels[..., :3] * (pixels[..., 3:] / 65535))[:, 1:5].transpose(2, 0, 1)
    assert np.abs(mixed.numpy().astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("held", range(1, 9))
def test_pictures_are_upright_as_pillow_has_them(held: int, written: Callable[..., Folder]) -> None:
    pixels = noise(3, "u1")
    image = Image.fromarray(pixels)
    image.getexif()[ORIENTATION] = held
    turned = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(upright(pixels, held), turned)
    source = written(pixels.astype(np.uint16) * 257, photometric="rgb", extratags=[(ORIENTATION, 3, 1, held, True)])
    form = Form(4, 3, "any", depth=16)
    assert source.size(0, form) == turned.shape[1::-1]
    assert np.array_equal(source.picture(0, form)[0].image.pixels, turned.astype(np.uint16) * 257)


def test_white_is_white_where_it_is_zero(written: Callable[..., Folder]) -> None:
    pixels = noise(5, "u1")
    items = decoded(
        written(pixels, photometric="miniswhite", planarconfig="contig"), Form(4, 5, "crop")
    ).reference.items
    assert np.array_equal(items[0], 255 - pixels[:, 1:5].transpose(2, 0, 1))


def test_numbers_that_are_no_brightness_are_named(written: Callable[..., Folder]) -> None:
    source = written(noise(4, "u2"), photometric="separated")
    with pytest.raises(BadItem, match=r"/x.tif is a TIFF whose numbers are no brightness: save it as grey or RGB"):
        decoded(source, Form(4, 3, "crop", True, 16))


def test_what_is_missing_is_not_black(written: Callable[..., Folder]) -> None:
    source = written(np.ones((64, 64, 5), np.uint8), photometric="minisblack", planarconfig="contig", rowsperstrip=16)
    file = source.folder / source.files[0]
    with tifffile.TiffFile(file, mode="r+") as tiff:
        tiff.pages.first.tags["StripByteCounts"].overwrite((5120, 0, 5120, 5120))
    with pytest.raises(BadItem, match=r"x.tif is truncated or damaged \(parts of it are missing\): replace it"):
        decoded(source, Form(64, 5))


def test_a_package_that_is_missing_is_named(written: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch) -> None:
    source = written(noise(5, "u1"), photometric="minisblack", planarconfig="contig")
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(BadItem, match=r'which takes the package tifffile: run pip install "ganlit\[deep\]".$'):
        decoded(source, Form(4, 5, "crop"))
