from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from ganlit.data.images.beside import Beside, apart
from ganlit.data.images.fitting import Picture
from ganlit.data.images.form import Form
from ganlit.data.images.kind import Kind, kind_of
from ganlit.data.images.rendering import Raster

BASE = ExifTags.Base
RGB = np.zeros((3, 20, 30), np.uint8)
GREY = np.zeros((1, 20, 30), np.uint8)


def profile(space: bytes) -> bytes:
    return bytes(16) + space + bytes(100)


def stored(image: Image.Image, format: str, **options: Any) -> Image.Image:
    file = io.BytesIO()
    image.save(file, format, **options)
    return Image.open(io.BytesIO(file.getvalue()))


def tagged(held: int = 6) -> Image.Exif:
    exif = Image.Exif()
    exif[BASE.Orientation], exif[BASE.Make] = held, "Maker"
    exif.get_ifd(ExifTags.IFD.Exif).update({BASE.ExifImageWidth: 8, BASE.ExifImageHeight: 6, BASE.ISOSpeedRatings: 400})
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    return exif


def reread(content: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif.load(content)
    return exif


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_tags_that_nobody_can_read_stay_behind() -> None:
    with stored(Image.new("RGB", (8, 6)), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff") as image:
        assert Beside.of(image).exif_for(RGB) == b""


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_tags_go_along_and_say_what_is_true(format: str) -> None:
    with stored(Image.new("RGB", (8, 6)), format, exif=tagged().tobytes()) as image:
        beside = Beside.of(image)
    found = reread(beside.exif_for(RGB))
    assert (found[BASE.Orientation], found[BASE.Make]) == (1, "Maker")
    assert found.get_ifd(ExifTags.IFD.GPSInfo) == {ExifTags.GPS.GPSLatitudeRef: "N"}
    inner = found.get_ifd(ExifTags.IFD.Exif)
    assert [inner[tag] for tag in (BASE.ExifImageWidth, BASE.ExifImageHeight, BASE.ISOSpeedRatings)] == [30, 20, 400]


def test_tags_of_a_file_s_own_layout_stay_with_it() -> None:
    with stored(Image.new("RGB", (8, 6)), "TIFF", exif=tagged().tobytes()) as image:
        found = reread(Beside.of(image).exif_for(RGB))
    assert not found.keys() & {BASE.StripOffsets, BASE.Compression, BASE.BitsPerSample, BASE.ImageWidth}


def test_a_picture_is_not_decoded_for_its_tags() -> None:
    with stored(Image.new("RGB", (8, 6)), "PNG") as image:
        assert Beside.of(image) == Beside()
        assert image._im is None


def test_a_profile_goes_along_with_the_colours_that_it_is_of() -> None:
    beside = Beside(profile=profile(b"RGB "))
    assert beside.profile_for(RGB) == beside.profile
    assert beside.profile_for(GREY) == Beside(profile=profile(b"CMYK")).profile_for(RGB) == b""
    assert Beside(profile=profile(b"GRAY")).profile_for(GREY)
    assert Beside().profile_for(RGB) == Beside(profile=b"short").profile_for(np.zeros((5, 2, 2), np.uint8)) == b""


def test_alpha_has_the_size_and_the_depth_of_what_was_made() -> None:
    alpha = np.arange(256, dtype=np.uint8).reshape(16, 16)
    same = np.zeros((3, 16, 16), np.uint8)
    assert Beside(alpha=alpha).alpha_for(same) is alpha
    assert np.array_equal(Beside(alpha=alpha).alpha_for(same.astype(np.uint16)), alpha * np.uint16(257))
    assert np.array_equal(Beside(alpha=alpha.astype(np.uint16) * 257).alpha_for(same), alpha)
    twice = Beside(alpha=alpha).alpha_for(np.zeros((3, 32, 32), np.uint8))
    bicubic = np.asarray(Image.fromarray(alpha).resize((32, 32), Image.Resampling.BICUBIC))
    assert np.abs(twice.astype(int) - bicubic).max() <= 1
    assert Beside().alpha_for(same) is None


def picture(mode: str, **info: Any) -> Picture:
    image = Image.new("RGBA", (4, 4), (200, 100, 50, 0)).convert(mode)
    image.info |= info
    return Picture(image, kind_of(image, deep=False))


@pytest.mark.parametrize(
    ("given", "kind", "colour"),
    [
        (picture("RGBA"), Kind(3), (200, 100, 50)),  # though nothing is seen of it
        (picture("LA"), Kind(1), 124),
        (picture("L", transparency=124), Kind(1), 124),
        (picture("P", transparency=0), Kind(3), None),
        (picture("RGB", transparency=(200, 100, 50)), Kind(3), (200, 100, 50)),
    ],
)
def test_colours_are_straight_without_their_alpha(given: Picture, kind: Kind, colour: Any) -> None:
    colours, alpha = apart(given, Form(4, kind.channels))
    assert colours.kind == kind
    assert colour is None or colours.image.getpixel((1, 1)) == colour
    assert (alpha.kind, alpha.image.getpixel((1, 1))) == (Kind(1), 0)


def test_deep_colours_and_alpha_are_taken_apart_as_they_are() -> None:
    pixels = np.arange(4 * 6, dtype=np.uint16).reshape(2, 3, 4)
    colours, alpha = apart(Picture(Raster(pixels), Kind(4, True, 16)), Form(4, 3, depth=16))
    assert (colours.kind, alpha.kind) == (Kind(3, bits=16), Kind(1, bits=16))
    assert np.array_equal(colours.image.pixels, pixels[..., :3])
    assert np.array_equal(alpha.image.pixels, pixels[..., 3:])


def test_alpha_stays_where_networks_see_it() -> None:
    given = picture("RGBA")
    assert apart(given, Form(4, 4)) == (given, None)
    opaque = picture("RGB")
    assert apart(opaque, Form(4, 3)) == (opaque, None)
