from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlit.data.images.fitting import Form, Picture, look, objection, render
from ganlit.data.images.kind import GREY, RGB, Kind


def reopened(image: Image.Image, format: str = "PNG", **options: object) -> Image.Image:
    """The image as Pillow finds it in a file, not yet decoded."""
    content = io.BytesIO()
    image.save(content, format, **options)
    return Image.open(content)


def with_transparent_colour() -> Image.Image:
    image = Image.new("P", (4, 4))
    image.info["transparency"] = 0
    return reopened(image)


def frames(format: str) -> Image.Image:
    """The first of three, in a file of its own kind."""
    first, *others = (Image.new("RGB", (1, 1), (value, 0, 0)) for value in (9, 90, 190))
    return reopened(first, format, save_all=True, append_images=others)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: reopened(Image.new("L", (4, 4))), GREY),
        (lambda: reopened(Image.new("1", (4, 4))), GREY),
        (lambda: reopened(Image.new("RGB", (4, 4)), "JPEG"), RGB),
        (lambda: reopened(Image.new("P", (4, 4))), RGB),
        (lambda: reopened(Image.new("YCbCr", (4, 4)), "TIFF"), RGB),
        (lambda: reopened(Image.new("RGBA", (4, 4))), Kind(4, alpha=True)),
        (lambda: reopened(Image.new("LA", (4, 4))), Kind(2, alpha=True)),
        (with_transparent_colour, Kind(4, alpha=True)),
        (lambda: reopened(Image.new("I;16", (4, 4))), Kind(1, bits=16)),
        (lambda: reopened(Image.new("CMYK", (4, 4)), "JPEG"), Kind(3, print=True)),
        (lambda: reopened(Image.new("LAB", (4, 4)), "TIFF"), Kind(3, print=True)),
        (lambda: reopened(Image.new("F", (4, 4)), "TIFF"), Kind(1, bits="float")),
        (lambda: frames("GIF"), RGB._replace(frames=3)),
        (lambda: frames("PNG"), RGB._replace(frames=3)),
        (lambda: frames("TIFF"), RGB._replace(frames=3)),
        (lambda: frames("WEBP"), RGB._replace(frames=3)),
        (lambda: frames("MPO"), RGB),
    ],
)
def test_the_kind_of_a_picture_is_seen(make: Callable[[], Image.Image], kind: Kind) -> None:
    assert look(make()).kind == kind


def test_colour_of_16_bits_is_seen(deep_png: Callable[..., bytes]) -> None:
    assert look(Image.open(io.BytesIO(deep_png(np.zeros((4, 4, 3), int))))).kind == Kind(3, bits=16)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *((GREY, "grey"), (RGB, "RGB"), (Kind(4, alpha=True), "alpha"), (Kind(3, print=True), "CMYK")),
        *((Kind(1, bits=16), "16-bit grey"), (Kind(7, bits="float"), "float 7 channels"), (Kind(4), "4 channels")),
        (Kind(3, frames=2), "RGB animated"),
    ],
)
def test_kinds_have_names(kind: Kind, name: str) -> None:
    assert str(kind) == name


def test_a_photo_is_turned_upright() -> None:
    image = Image.new("RGB", (6, 4))
    exif = image.getexif()
    exif[0x0112] = 6  # the camera was held on its side
    assert look(reopened(image, "JPEG", exif=exif)).image.size == (4, 6)


@pytest.mark.parametrize(
    ("size", "kind", "form", "reason", "remedy"),
    [
        ((40, 40), RGB, Form(32, 3), "is 40x40, not 32x32", "set fit: resize"),
        ((40, 30), RGB, Form(32, 3), "is 40x30, not 32x32", "set fit: crop"),
        ((28, 28), RGB, Form(32, 3), "is 28x28, not 32x32", "set fit: pad or fit: resize"),
        ((40, 30), RGB, Form(32, 3, "resize"), "is 40x30, not square", "set fit: crop"),
        ((40, 40), RGB, Form(32, 3, "pad"), "is 40x40, larger than 32x32", "set fit: resize"),
        ((40, 30), RGB, Form(32, 3, "pad"), "is 40x30, larger than 32x32", "set fit: crop"),
        ((32, 32), GREY, Form(32, 3), "is grey while channels is 3", "set channels: 1 if all are grey, else convert"),
        ((32, 32), RGB, Form(32, 1), "is RGB while channels is 1", "set channels: 3 if all are RGB, else convert"),
        (
            (32, 32),
            Kind(4, alpha=True),
            Form(32, 3),
            "has an alpha channel",
            "set convert: true to composite it on black",
        ),
        ((32, 32), Kind(1, bits=16), Form(32, 1), "has 16 bits a channel", "set convert: true to keep the upper 8"),
        ((0, 32), RGB, Form(32, 3, "crop"), "has no pixels", "remove it"),
        ((32, 32), Kind(3, print=True), Form(32, 3), "is in CMYK", "set convert: true"),
        (
            (32, 32),
            Kind(1, bits="float"),
            Form(32, 3, convert=True),
            "holds floating-point pixels",
            "save it with 8 bits",
        ),
        ((32, 32), Kind(3, frames=5), Form(32, 3), "holds 5 frames", "set convert: true to take the first"),
        ((32, 32), Kind(4, alpha=True), Form(32, 1), "has an alpha channel", "or channels: 4 to keep it"),
        (
            (32, 32),
            RGB,
            Form(32, 4),
            "is RGB while channels is 4",
            "set channels: 3 if all are RGB, else convert: true",
        ),
        ((32, 32), Kind(7), Form(32, 3, convert=True), "has 7 channels, not 3", "train with channels: 7, or save 3"),
        ((32, 32), RGB, Form(32, 7, convert=True), "has 3 channels, not 7", "train with channels: 3, or save 7"),
        ((32, 32), Kind(4), Form(32, 3, convert=True), "has 4 channels, not 3", "train with channels: 4"),
        (
            (90, 31),
            RGB,
            Form(32, 3, "tiles"),
            "is 90x31, smaller than a tile of 32x32",
            "lower resolution to 31 or less",
        ),
    ],
)
def test_objections_name_the_option_that_fits(
    size: tuple[int, int], kind: Kind, form: Form, reason: str, remedy: str
) -> None:
    against = objection(size, kind, form)
    assert reason in against.reason
    assert remedy in against.remedy


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["exact", "resize", "crop", "pad"]), st.booleans())
def test_what_meets_no_objection_is_rendered(width: int, height: int, fit: str, grey: bool) -> None:
    image = Image.new("L" if grey else "RGB", (width, height), "white")
    form = Form(16, 1 if grey else 3, fit)
    kind = GREY if grey else RGB
    if objection(image.size, kind, form) is None:
        pixels = render(Picture(image, kind), form)
        assert (pixels.dtype, pixels.shape) == (np.uint8, (form.channels, 16, 16))
        border = 256 - min(width, 16) * min(height, 16) if fit == "pad" else 0
        assert (pixels == 0).sum() == border * form.channels
    else:
        assert fit != "crop"
        assert (width, height) != (16, 16)


def test_pixels_of_the_right_size_are_untouched() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert (render(look(reopened(Image.fromarray(pixels))), Form(8, 3)) == pixels.transpose(2, 0, 1)).all()


def test_padding_is_black_on_all_sides() -> None:
    pixels = np.full((4, 4), 9, np.uint8)
    assert (render(Picture(Image.fromarray(pixels), GREY), Form(8, 1, "pad"))[0] == np.pad(pixels, 2)).all()


def test_a_crop_keeps_the_centre() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 14), dtype=np.uint8)
    assert (render(Picture(Image.fromarray(pixels), GREY), Form(8, 1, "crop"))[0] == pixels[:, 3:11]).all()


def test_resizing_is_antialiased() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (32, 16))
    small = render(Picture(Image.fromarray(stripes), GREY), Form(8, 1, "resize"))[0, :, 1:-1]
    assert np.abs(small.astype(int) - 127).max() <= 4


def converted(image: Image.Image, channels: int) -> list[int]:
    form = Form(1, channels, convert=True)
    picture = look(image)
    assert objection(picture.image.size, picture.kind, form) is None
    return render(picture, form).flatten().tolist()


def test_other_kinds_are_converted_on_demand(deep_png: Callable[..., bytes]) -> None:
    assert converted(reopened(Image.new("L", (1, 1), 7)), 3) == [7, 7, 7]
    assert converted(reopened(Image.new("RGB", (1, 1), (7, 7, 7))), 1) == [7]
    assert converted(reopened(Image.new("RGBA", (1, 1), (200, 100, 50, 0))), 3) == [0, 0, 0]
    assert converted(reopened(Image.new("RGBA", (1, 1), (200, 100, 50, 255))), 3) == [200, 100, 50]
    assert converted(reopened(Image.new("LA", (1, 1), (200, 255))), 1) == [200]
    assert converted(reopened(Image.new("I;16", (1, 1), 0x8123)), 1) == [0x81]
    assert converted(reopened(Image.new("LAB", (1, 1), (255, 128, 128)), "TIFF"), 1) == [255]
    assert converted(frames("PNG"), 3) == [9, 0, 0]
    assert converted(Image.open(io.BytesIO(deep_png(np.array([[[0x1234, 0xFF00, 0x00FF]]])))), 3) == [0x12, 0xFF, 0]
