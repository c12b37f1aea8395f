"""Pictures of any size and kind through networks that take any: what no network sees of them goes along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from PIL import ExifTags, Image, ImageChops, ImageCms
from squares import Answer

from ganlit.errors import UserError
from ganlit.studies.evaluation.bars import Bars
from ganlit.studies.evaluation.translate import translate

Command = Callable[..., Answer]
BASE = ExifTags.Base

pytestmark = pytest.mark.usefixtures("averages")


@pytest.fixture(scope="module")
def photograph() -> Image.Image:
    """Of Grace Hopper, 128x150."""
    with Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)) as image:
        return image.resize((128, 150))


def made(run: str, image: Image.Image, folder: Path, suffix: str = "png", saved: Any = None, **options: Any) -> Any:
    """What a run makes of a picture."""
    folder.mkdir(exist_ok=True)
    image.save(folder / f"source.{suffix}", **(saved or {}))
    translate(f"{run}.safetensors", str(folder / f"source.{suffix}"), out=str(folder / "out"), **options)
    (file,) = (folder / "out").iterdir()
    with Image.open(file) as found:
        found.load()
        return found


def values(mode: str) -> Image.Image:
    """All of them, in an odd number of rows and columns."""
    bands = len(mode)
    counted = np.arange(67 * 61 * bands).reshape(67, 61, bands) % 256
    return Image.fromarray(counted.astype(np.uint8).squeeze())


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(("run", "mode"), [("same", "RGB"), ("grey", "L")])
@pytest.mark.parametrize("options", [{}, {"tile": 32, "overlap": 5}, {"tile": "whole"}])
def test_no_value_changes_by_itself(run: str, mode: str, options: dict[str, Any], tmp_path: Path) -> None:
    source = values(mode)
    profile = SRGB if mode == "RGB" else b""
    found = made(run, source, tmp_path, saved={"icc_profile": profile}, **options)
    assert found.mode == mode
    assert np.array_equal(np.asarray(found), np.asarray(source))
    assert found.info.get("icc_profile", b"") == profile


def test_a_photograph_comes_out_as_large_as_the_network_makes_it(
    ganlit: Command, photograph: Image.Image, tmp_path: Path
) -> None:
    source = photograph.crop((0, 0, 101, 149))
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    source.save(tmp_path / "in" / "deeper" / "photo.v2.png")
    answer = ganlit("translate", "twice.safetensors", str(tmp_path / "in"), "--out", str(tmp_path / "out"))
    assert answer.code == 0, answer.err
    with Image.open(tmp_path / "out" / "deeper" / "photo.v2.png") as found:
        assert np.array_equal(np.asarray(found), np.asarray(source).repeat(2, 0).repeat(2, 1))
    with Image.open(tmp_path / "out-grid.png") as shown:  # the source enlarged, above what was made of it
        assert shown.size == (202 + 4, 2 * 298 + 6)
        above, below = (shown.crop((2, top, 204, top + 298)) for top in (2, 302))
    assert np.abs(np.asarray(above, float) - np.asarray(below, float)).mean() < 6


def test_it_is_seen_how_far_a_large_picture_is(
    photograph: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    photograph.crop((0, 0, 50, 64)).save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_bytes(b"damaged")
    photograph.crop((0, 0, 100, 140)).save(tmp_path / "in" / "c.png")
    steps: list[float] = []
    monkeypatch.setattr(Bars, "counted", lambda self, title, total: steps.append)
    translate("twice.safetensors", str(tmp_path / "in"), out=str(tmp_path / "out"), tile=64, skip_bad=True)
    assert [step for step in steps if step] == [1, 1, *[1 / 6] * 6]  # whole, left out, and two by three tiles


def test_tiles_give_what_the_whole_gives(photograph: Image.Image, tmp_path: Path) -> None:
    long = photograph.resize((90, 601))  # than the usual tiles are
    whole = made("blur", long, tmp_path / "whole", tile="whole")
    for name, options in {"usual": {}, "small": {"tile": 50, "overlap": 3}}.items():
        tiled = made("blur", long, tmp_path / name, **options)
        assert tiled.size == long.size
        off = np.abs(np.asarray(tiled, int) - np.asarray(whole, int))
        assert off.max() <= 1  # where rounding decides
        assert off.mean() < 0.001


def test_how_a_camera_was_held_is_seen_to_once(photograph: Image.Image, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[BASE.Orientation], exif[BASE.Make] = 6, "Maker"
    exif.get_ifd(ExifTags.IFD.Exif)[BASE.ExifImageWidth] = 128
    found = made("twice", photograph, tmp_path, "jpg", {"exif": exif, "icc_profile": SRGB}, tile=64)
    assert found.size == (300, 256)
    tags = found.getexif()
    assert (tags[BASE.Orientation], tags[BASE.Make]) == (1, "Maker")
    assert tags.get_ifd(ExifTags.IFD.Exif)[BASE.ExifImageWidth] == 300
    assert found.info["icc_profile"] == SRGB
    with Image.open(tmp_path / "source.jpg") as source:
        turned = source.transpose(Image.Transpose.ROTATE_270)
    assert np.array_equal(np.asarray(found), np.asarray(turned).repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize(("run", "mode"), [("same", "RGBA"), ("twice", "RGBA"), ("grey", "LA")])
def test_what_shines_through_does_so_again(run: str, mode: str, photograph: Image.Image, tmp_path: Path) -> None:
    source = photograph.resize((50, 60)).convert(mode)
    source.putalpha(Image.linear_gradient("L").resize((50, 60)))
    found = made(run, source, tmp_path, tile=32, overlap=4)
    scale = 2 if run == "twice" else 1
    assert (found.mode, found.size) == (mode, (50 * scale, 60 * scale))
    *colours, alpha = (np.asarray(band, int) for band in found.split())
    for band, given in zip(colours, source.split(), strict=False):  # also where nothing is seen of them
        assert np.array_equal(band, np.asarray(given).repeat(scale, 0).repeat(scale, 1))
    bicubic = source.getchannel("A").resize(found.size, Image.Resampling.BICUBIC)
    assert np.abs(alpha - np.asarray(bicubic, int)).max() <= (1 if scale == 2 else 0)


def test_what_is_erased_of_a_picture_is_a_hole_for_who_fills_holes(
    photograph: Image.Image, ganlit: Command, tmp_path: Path
) -> None:
    mask = Image.new("L", photograph.size)
    mask.paste(255, (30, 40, 90, 100))
    erased = photograph.copy()
    erased.putalpha(ImageChops.invert(mask))
    (tmp_path / "in").mkdir()
    erased.save(tmp_path / "in" / "a.png")
    assert ganlit("translate", "holes.safetensors", str(tmp_path / "in"), "--out", str(tmp_path / "out")).code == 0
    with Image.open(tmp_path / "out" / "a.png") as found:
        assert found.mode == "RGB"
        grey, seen = np.asarray(found), np.asarray(photograph)
    hidden = np.asarray(mask) > 0
    assert np.array_equal(grey[~hidden], seen[~hidden])
    assert np.isin(grey[hidden], (127, 128)).all()


def test_16_bits_stay_16_bits(tmp_path: Path) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    source = np.random.default_rng(0).integers(0, 2**16, (70, 51, 4), dtype=np.uint16)
    (tmp_path / "deep.png").write_bytes(imagecodecs.png_encode(source))
    translate("deep.safetensors", str(tmp_path / "deep.png"), out=str(tmp_path / "out"), tile=40, overlap=4)
    found = imagecodecs.png_decode((tmp_path / "out" / "deep.png").read_bytes())
    assert np.array_equal(found, source)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3, 2), (9, 8)])
def test_pictures_smaller_than_a_step_of_the_network(size: tuple[int, int], tmp_path: Path) -> None:
    source = Image.effect_noise(size, 60).convert("RGB")
    for number, options in enumerate(({}, {"tile": 16, "overlap": 2})):
        found = made("same", source, tmp_path / str(number), **options)
        assert np.array_equal(np.asarray(found), np.asarray(source))


def test_a_palette_is_its_colours(photograph: Image.Image, tmp_path: Path) -> None:
    for number, source in enumerate((photograph.quantize(16), photograph.quantize(200))):
        found = made("same", source, tmp_path / str(number), "gif")
        assert np.array_equal(np.asarray(found), np.asarray(source.convert("RGB")))
    clear = photograph.resize((30, 20)).quantize(16)
    found = made("same", clear, tmp_path / "clear", saved={"transparency": 3})
    assert found.mode == "RGBA"
    assert np.array_equal(np.asarray(found.getchannel("A")), np.where(np.asarray(clear) == 3, 0, 255))


def test_print_colours_take_a_word_and_leave_their_profile(photograph: Image.Image, tmp_path: Path) -> None:
    source, saved = photograph.convert("CMYK"), {"icc_profile": bytes(16) + b"CMYK" + bytes(200)}
    said = r"source.jpg is in CMYK or another print colour space: add --convert, or leave such images out by --skip_bad"
    with pytest.raises(UserError, match=said):
        made("same", source, tmp_path / "one", "jpg", saved)
    found = made("same", source, tmp_path / "two", "jpg", saved, convert=True)
    assert (found.mode, "icc_profile" in found.info) == ("RGB", False)


def test_of_an_animation_one_frame_is_translated_if_that_is_meant(photograph: Image.Image, tmp_path: Path) -> None:
    frames = [photograph.resize((16, 16)).quantize(8), photograph.resize((16, 16)).rotate(90).quantize(8)]
    saved = {"save_all": True, "append_images": frames[1:]}
    with pytest.raises(UserError, match=r"source.gif holds 2 frames: add --convert, or leave such images out"):
        made("same", frames[0], tmp_path / "one", "gif", saved)
    found = made("same", frames[0], tmp_path / "two", "gif", saved, convert=True)
    assert np.array_equal(np.asarray(found), np.asarray(frames[0].convert("RGB")))


def test_what_is_bad_among_sizes_is_left_out(photograph: Image.Image, ganlit: Command, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    photograph.resize((33, 21)).save(tmp_path / "in" / "a.jpg")
    photograph.convert("CMYK").save(tmp_path / "in" / "b.jpg")
    photograph.resize((10, 50)).save(tmp_path / "in" / "c.jpg")
    words = ["translate", "same.safetensors", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    answer = ganlit(*words, "--skip_bad")
    assert answer.code == 0, answer.err
    assert "left out 1 of 3 images" in answer.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]
    assert ganlit(*words).code == 2  # never over what is there


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tile", "7"], "--tile is 7: it must be at least 8"),
        (["--tile", "64", "--overlap", "30"], "--overlap is 30, of which a tile of 64 holds three"),
        (["--overlap", "8", "--tile", "whole"], "--overlap is 8, but items go through whole"),
    ],
)
def test_tiles_that_cannot_be_are_refused_ahead(
    ganlit: Command, photograph: Image.Image, tmp_path: Path, options: list[str], said: str
) -> None:
    photograph.save(tmp_path / "a.png")
    answer = ganlit("translate", "same.safetensors", str(tmp_path / "a.png"), "--out", str(tmp_path / "out"), *options)
    assert (answer.code, said in answer.err, answer.err.count("\n")) == (2, True, 1), answer.err
    assert not (tmp_path / "out").exists()
