"""Arrays as pictures: which axis is that of the channels, and what is no picture."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlit.data.images.archive import Archive
from ganlit.data.images.decoding import decoded
from ganlit.data.images.folder import Folder
from ganlit.data.images.form import Form
from ganlit.data.images.modality import ImageModality
from ganlit.data.images.npy import Array
from ganlit.data.source import BadItem


def saved(pixels: np.ndarray) -> io.BytesIO:
    content = io.BytesIO()
    np.save(content, pixels)
    return content


def numbered(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(np.uint16)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_the_axis_as_long_as_the_channels_is_theirs(channels: int, height: int, width: int, first: bool) -> None:
    pixels = numbered(height, width, channels)
    array = Array(saved(pixels.transpose(2, 0, 1) if first else pixels))
    found, kind = array.read(channels)
    assert kind.channels == channels
    if not first or width != channels:  # else both axes are as long, and the last one counts
        assert array.size(channels) == (width, height)
        assert np.array_equal(found, pixels)


@pytest.mark.parametrize("shape", [(5, 30, 40), (30, 40, 5)])
def test_the_shorter_axis_is_that_of_the_channels_where_nobody_says(shape: tuple[int, ...]) -> None:
    array = Array(saved(numbered(*shape)))
    assert array.size(None) == array.size(3) == (40, 30)
    assert array.read(None)[0].shape == (30, 40, 5)


@pytest.mark.parametrize(
    ("dtype", "bits"), [("u1", 8), ("?", 8), ("u2", 16), (">u2", 16), ("i4", 16), ("f2", "float"), (">f8", "float")]
)
def test_types_are_depths(dtype: str, bits: int | str) -> None:
    pixels, kind = Array(saved(np.array([[0, 1]], dtype))).read(None)
    assert (kind.channels, kind.bits) == (1, bits)
    assert pixels[..., 0].tolist() == [[0, 255 if dtype == "?" else 1]]


def test_fortran_order_and_packed_arrays_are_read(tmp_path: Path) -> None:
    pixels = numbered(4, 6, 3).astype(np.uint8)
    np.save(tmp_path / "a.npy", np.asfortranarray(pixels))
    np.savez_compressed(tmp_path / "b.npz", pixels)
    np.save(tmp_path / "c.npy", pixels.transpose(2, 0, 1))
    items = decoded(Folder(tmp_path), Form(4, 3, "crop")).reference.items
    assert all(np.array_equal(item, pixels[:, 1:5].transpose(2, 0, 1)) for item in items)
    assert ImageModality().recognises(str(tmp_path)) == 1


def test_a_packed_file_is_a_source_of_its_arrays(tmp_path: Path) -> None:
    pictures = {name: numbered(4, 4).astype(np.uint8) + number for number, name in enumerate("xyz")}
    np.savez(tmp_path / "set.npz", **pictures)
    source = Archive(tmp_path / "set.npz")
    assert np.array_equal(decoded(source, Form(4, 1)).reference.items[:, 0], np.stack([*pictures.values()]))
    assert ImageModality().recognises(str(tmp_path / "set.npz")) == 1


def packed(**arrays: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("a.txt", "text")
    return content.getvalue()


def saying(shape: tuple[int, ...]) -> bytes:
    """A file of 4 bytes that says that it holds more."""
    header = repr({"descr": "|u1", "fortran_order": False, "shape": shape}).encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(4)


REFUSED: dict[str, tuple[bytes, str]] = {
    "four axes": (
        saved(numbered(2, 4, 4, 3)).getvalue(),
        r"is an array of the shape 2x4x4x3: save an array \[H, W\]",
    ),
    "one axis": (saved(numbered(4)).getvalue(), "is an array of the shape 4: save"),
    "no axis": (saved(np.array(1)).getvalue(), "is an array of the shape of one number: save"),
    "complex": (saved(np.zeros((4, 4), complex)).getvalue(), "holds values of the type complex128: save them as uint8"),
    "text": (saved(np.full((4, 4), "a")).getvalue(), "holds values of the type <U1: save"),
    "objects": (saved(np.full((4, 4), {})).getvalue(), "holds values of the type object: save"),
    "two arrays": (packed(a=numbered(4, 4), b=numbered(4, 4)), "holds 2 arrays: give it as the source itself, or save"),
    "a zip": (zipped(), "is not an image: remove it"),
    "truncated": (saved(numbered(8, 8)).getvalue()[:-1], r"is truncated or damaged \(.*\): replace it"),
    "more than there is": (saying((9, 9)), r"is truncated or damaged \(.*\): replace it"),
    "more than memory": (saying((10**6, 10**6)), "is too large .*: shrink it, or set GANLIT_MAX_IMAGE_PIXELS to more"),
    "many channels": (saying((2, 2, 10**10)), "is too large .*: shrink it"),
    "no pixels": (saying((0, 5)), "has no pixels: remove it"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_picture_is_named(what: str, tmp_path: Path) -> None:
    content, said = REFUSED[what]
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(BadItem, match=rf"/x.npy {said}"):
        decoded(Folder(tmp_path), Form(8, 3, "resize", convert=True))


@pytest.mark.parametrize("form", [Form(9, 3), Form(9, 3, depth=16), Form(9, 5), Form(9, 1, depth="float")])
def test_other_numbers_of_channels_are_named(form: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((9, 9, 7), np.uint8))
    with pytest.raises(BadItem, match=f"has 7 channels, not {form.channels}: train with channels: 7, or save"):
        decoded(Folder(tmp_path), form._replace(convert=True))
    assert decoded(Folder(tmp_path), form._replace(channels=7)).reference.items.shape == (1, 7, 9, 9)
