"""Datasets of 16 bits and of floats: kept as deep as they are, or refused in a sentence."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from ganlit.data.images.catalogue import open_all
from ganlit.data.images.decoding import decoded
from ganlit.data.images.folder import Folder
from ganlit.data.images.foreign import ORIENTATION
from ganlit.data.images.form import Form, range_of
from ganlit.data.images.modality import ImageModality
from ganlit.data.source import BadItem
from ganlit.errors import UserError

DEEP = Form(4, 3, depth=16)
FLOAT = Form(4, 1, depth="float")


def noise(*shape: int, most: int = 2**16) -> np.ndarray:
    values = np.random.default_rng(0).integers(0, most, shape)
    values.flat[:2] = 0, most - 1
    return values


def deep(channels: int) -> np.ndarray:
    return noise(4, 4, channels).astype(np.uint16)


def chw(pixels: np.ndarray) -> np.ndarray:
    return pixels.transpose(2, 0, 1)


def test_16_bits_of_any_file_are_kept(tmp_path: Path, deep_png: Callable[..., bytes]) -> None:
    pixels = deep(3)
    (tmp_path / "a.png").write_bytes(deep_png(pixels))
    tifffile.imwrite(tmp_path / "b.tif", pixels, photometric="rgb")
    np.save(tmp_path / "c.npy", pixels)
    np.save(tmp_path / "d.npy", chw(pixels))
    Image.fromarray((pixels >> 8).astype(np.uint8)).save(tmp_path / "e.png")
    found = decoded(Folder(tmp_path), DEEP)
    assert (found.reference.items.dtype, found.about["dtype"]) == (torch.uint16, "uint16")
    assert all(np.array_equal(item, chw(pixels)) for item in found.reference.items[:4])
    assert np.array_equal(found.reference.items[4], chw(pixels >> 8) * 257)
    assert found.about["notes"] == ["1 of 5 pictures have 8 bits a channel, and are spread over 16"]


def test_grey_of_16_bits_is_kept_and_becomes_colour_on_demand(tmp_path: Path) -> None:
    pixels = deep(1)
    Image.fromarray(pixels[..., 0]).save(tmp_path / "a.png")
    assert np.array_equal(decoded(Folder(tmp_path), DEEP._replace(channels=1)).reference.items[0], chw(pixels))
    with pytest.raises(BadItem, match=r"a.png is grey while channels is 3: set channels: 1 if all are grey"):
        decoded(Folder(tmp_path), DEEP)
    converted = decoded(Folder(tmp_path), DEEP._replace(convert=True)).reference.items[0]
    assert np.array_equal(converted, chw(pixels).repeat(3, 0))


@pytest.mark.parametrize(("channels", "alpha"), [(2, True), (4, True), (3, False)])
def test_png_of_16_bits_with_alpha_and_without(channels: int, alpha: bool, tmp_path: Path) -> None:
    pixels = deep(channels)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))
    assert np.array_equal(decoded(Folder(tmp_path), DEEP._replace(channels=channels)).reference.items[0], chw(pixels))
    if alpha:
        with pytest.raises(BadItem, match=rf"has an alpha channel: .* or channels: {channels} to keep it"):
            decoded(Folder(tmp_path), DEEP._replace(channels=channels - 1))


def test_a_photo_of_16_bits_is_turned_upright(tmp_path: Path) -> None:
    """Its EXIF stands before the pixels, as cameras write it."""
    pixels, exif = noise(4, 6, 3).astype(np.uint16), Image.Exif()
    exif[ORIENTATION] = 6
    shallow = io.BytesIO()
    Image.new("RGB", (6, 4)).save(shallow, "PNG", exif=exif)
    content, other = imagecodecs.png_encode(pixels), shallow.getvalue()
    start, end = other.index(b"eXIf") - 4, other.index(b"IDAT") - 4
    (tmp_path / "a.png").write_bytes(content[:33] + other[start:end] + content[33:])
    source, form = Folder(tmp_path), DEEP._replace(fit="any")
    assert source.size(0, form) == (4, 6)
    assert np.array_equal(source.picture(0, form)[0].image.pixels, np.rot90(pixels, -1))


def test_what_was_written_with_12_bits_is_told_how_it_can_be_seen(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", noise(4, 4, most=4096).astype(np.uint16))
    form = DEEP._replace(channels=1)
    said = r"up to 4095 of 65535: scale all to 16 bits yourself, .* or train with depth: float and range: \[0, 4095\]"
    with pytest.raises(BadItem, match=said):
        decoded(Folder(tmp_path), form)
    items = decoded(Folder(tmp_path), form._replace(depth="float", range=(0, 4095))).reference.items
    assert (items.dtype, items.min(), items.max()) == (torch.float32, 0, 1)


@pytest.mark.parametrize("convert", [False, True])
def test_floats_are_no_pixels_of_16_bits(convert: bool, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((4, 4), 0.5))
    with pytest.raises(BadItem, match=r"holds floating-point pixels: save it with 16 bits .* with depth: float"):
        decoded(Folder(tmp_path), Form(4, 1, convert=convert, depth=16))


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i2", "u1"])
def test_floats_are_stored_as_they_lie_in_their_range(kind: str, tmp_path: Path) -> None:
    values = np.array([[-100, 0, 50, 100]] * 4) if kind != "u1" else np.array([[0, 100, 150, 200]] * 4)
    low, high = values.min(), values.max()
    np.save(tmp_path / "a.npy", values.astype(kind))
    items = decoded(Folder(tmp_path), FLOAT._replace(range=(low, high))).reference.items
    np.testing.assert_allclose(items[0, 0], (values - low) / (high - low), atol=1e-7)
    for range in ((low + 1, high), (low, high - 1)):
        said = rf"holds values from {low} to {high}, outside of the range \[.*\]: train with a range that holds"
        with pytest.raises(BadItem, match=said) as raised:
            decoded(Folder(tmp_path), FLOAT._replace(range=range))
        assert "skip_bad" not in str(raised.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_none_are_damage(value: float, tmp_path: Path) -> None:
    pixels = np.zeros((4, 4), np.float32)
    np.save(tmp_path / "good.npy", pixels)
    pixels[2, 2] = value
    np.save(tmp_path / "bad.npy", pixels)
    with pytest.raises(BadItem, match=r"bad.npy holds values that are not finite: replace it, or set skip_bad"):
        decoded(Folder(tmp_path), FLOAT)
    assert len(decoded(Folder(tmp_path), FLOAT, skip_bad=True).reference.items) == 1


@pytest.mark.parametrize(
    ("depth", "range", "said"),
    [
        ("float", (1, 0), r"--range is \[1, 0\]: it must be two finite numbers, of which the first is the lower one"),
        ("float", (0, 0), "of which the first is the lower one"),
        ("float", (0, float("inf")), "two finite numbers"),
        ("float", (float("nan"), 1), "two finite numbers"),
        ("float", (1, 1 + 1e-12), "of which the first is the lower one"),
        (16, (0, 4095), r"--range is \[0, 4095\], and only floats have one: set depth: float, or leave it out"),
    ],
)
def test_a_range_is_one(depth: Any, range: tuple[float, float], said: str) -> None:
    with pytest.raises(UserError, match=said):
        range_of("--range", depth, range)
    assert range_of("--range", "float", (0, 255)) == (0, 255)
    assert range_of("--range", 8, (0, 1)) == (0, 1)


def test_deep_pictures_are_brought_as_those_of_a_training(tmp_path: Path, deep_png: Callable[..., bytes]) -> None:
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(deep_png(noise(6, 6, 3)))
    form = DEEP._replace(fit="crop")
    brought = ImageModality(16).bring(tmp_path, form, labelled=False, any_size=False)
    assert torch.equal(brought[0:2], decoded(Folder(tmp_path), form).reference.items)
    assert brought[0:2].dtype == torch.uint16
    with pytest.raises(UserError, match=r"a.png is 6x6, not 4x4: add --fit resize.$"):
        ImageModality(16).bring(tmp_path, DEEP, labelled=False, any_size=False)[0:1]
    assert ImageModality().open(str(tmp_path), "train", Path())[0:1].dtype == torch.uint8
    assert open_all(tmp_path, labels=False).size(0, form) == (6, 6)


@pytest.mark.parametrize(
    ("format", "mode", "said"),
    [
        ("GIF", "RGB", "holds 2 frames: save one of them, or set convert: true to take the first"),
        ("TIFF", "CMYK", "is in CMYK or another print colour space: save it as RGB, or set convert: true"),
        ("PPM", "RGB", "has 16 bits a channel in PPM, of which 8 would be read: save it as PNG or TIFF"),
        ("PNG", "RGBA", "has an alpha channel: flatten it"),
    ],
)
def test_other_files_are_a_sentence_and_converted_where_they_can_be(
    format: str, mode: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "a"
    images = [Image.new(mode, (4, 4), colour) for colour in (3, 9)]
    if format == "PPM":
        file.write_bytes(b"P6\n4 4\n65535\n" + bytes(4 * 4 * 6))
    else:
        images[0].save(file, format, **({"save_all": True, "append_images": images[1:]} if format == "GIF" else {}))
    with pytest.raises(BadItem, match=f"/a {said}"):
        decoded(Folder(tmp_path), DEEP)
    if format != "PPM":
        wanted = np.asarray(Image.open(file).convert("RGB"), int) * (mode != "RGBA") * 257
        assert np.array_equal(decoded(Folder(tmp_path), DEEP._replace(convert=True)).reference.items[0], chw(wanted))


def test_a_check_judges_and_recommends_by_depth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", noise(8, 8, 5).astype(np.uint16))
    check = ImageModality().check
    with pytest.raises(SystemExit):
        check(str(tmp_path), "train", Path(), batch=2)
    assert "has 16 bits a channel: save it with 8, set convert: true to keep the upper 8, or depth: 16 to keep all" in (
        capsys.readouterr().out
    )
    check(str(tmp_path), "train", Path(), batch=2, depth=16)
    text = capsys.readouterr().out
    assert "kinds    16-bit 5 channels 2\n  values   0 to 65535, of 65535 in 16 bits\n" in text
    assert "  resolution: 8\n  channels: 5\n  depth: 16\n" in text
    check(str(tmp_path), "train", Path(), batch=2, depth="float", range=(0, 65535))
    assert "  depth: float\n  range: [0.0, 65535.0]\n" in capsys.readouterr().out
