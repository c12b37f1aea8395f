"""Pictures that are cut into squares."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlit.data.images import decoding
from ganlit.data.images.decoding import decoded
from ganlit.data.images.folder import Folder
from ganlit.data.images.form import Form
from ganlit.data.images.modality import ImageModality
from ganlit.data.images.tiles import Cut, count, cut, pictures_of, title
from ganlit.errors import UserError

Make = Callable[..., Path]
Paint = Callable[..., Image.Image]

SIZES = {"a": (20, 9), "b": (8, 8), "c": (15, 17)}
"""Of which tiles of 8 pixels are 2, 1 and 1 x 2."""


@pytest.fixture
def folder(make_folder: Make, paint: Paint) -> Path:
    given = {name: paint(seed, size=size) for seed, (name, size) in enumerate(SIZES.items())}
    return make_folder(["one/a.png", "one/b.png", "two/c.png"], **given)


@given(st.integers(1, 3), st.integers(1, 20), st.integers(1, 20), st.integers(1, 6))
def test_tiles_make_up_the_picture(channels: int, height: int, width: int, side: int) -> None:
    pixels = np.arange(channels * height * width).reshape(channels, height, width)
    tiles, across = cut(pixels, side), width // side
    assert len(tiles) == count((width, height), side) == across * (height // side)
    for number, tile in enumerate(tiles):
        top, left = number // across * side, number % across * side
        assert np.array_equal(tile, pixels[:, top : top + side, left : left + side])


def test_a_tile_is_called_by_its_picture_and_its_place() -> None:
    cuts = [Cut("a.jpg", 3, 2), Cut("b.jpg", 1, 1), Cut("c.jpg", 2, 2)]
    assert pictures_of(cuts).tolist() == [0] * 6 + [1] + [2] * 4
    assert title(0, 64, cuts) == "a.jpg at 0, 0"
    assert title(5, 64, cuts) == "a.jpg at 128, 64"
    assert title(6, 64, cuts) == "b.jpg at 0, 0"
    assert title(10, 64, cuts) == "c.jpg at 64, 64"


@pytest.mark.parametrize("depth", [8, 16])
def test_a_dataset_holds_all_tiles_of_all_pictures(folder: Path, depth: int) -> None:
    source = Folder(folder)
    found = decoded(source, Form(8, 3, "tiles", depth=depth))
    pictures = [np.asarray(source.picture(index)[0].image).astype(int).transpose(2, 0, 1) for index in range(3)]
    tiles = np.concatenate([cut(pixels, 8) for pixels in pictures]) * (257 if depth == 16 else 1)
    assert np.array_equal(found.reference.items, tiles)
    assert found.reference.labels.tolist() == [0, 0, 0, 1, 1]
    assert found.about["counts"] == [3, 2]
    cuts = [Cut(*each) for each in found.about["tiles"]]
    assert title(4, 8, cuts) == f"{folder}/two/c.png at 0, 8"


def test_what_is_smaller_than_a_tile_is_refused_or_left_out(folder: Path, paint: Paint) -> None:
    paint(9, size=(40, 7)).save(folder / "two" / "d.png")
    said = r"two/d.png is 40x7, smaller than a tile of 8x8: lower resolution to 7 or less, or set skip_bad: true"
    with pytest.raises(UserError, match=said):
        decoded(Folder(folder), Form(8, 3, "tiles"))
    found = decoded(Folder(folder), Form(8, 3, "tiles"), skip_bad=True)
    assert (len(found.reference.items), len(found.about["tiles"]), len(found.skipped)) == (5, 3, 1)


def test_what_no_disk_can_hold_is_counted_in_tiles_without_decoding(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=5 * 3 * 64 - 1))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("decoded"))
    with pytest.raises(UserError, match=r"^The 5 tiles of photos take 0.0 GB, .*: leave some pictures out, or set"):
        decoded(Folder(folder), Form(8, 3, "tiles"))


def test_memory_holds_few_of_the_pictures(make_folder: Make, paint: Paint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded by the largest one, not by its tiles."""
    names = [f"{number}.png" for number in range(9)]
    source = Folder(make_folder(names, **{str(n): paint(n, size=(20, 20)) for n in range(9)}))
    ahead, original, form = [], decoding.fitted, Form(4, 3, "tiles")
    monkeypatch.setattr(decoding, "BYTES", 2 * 20 * 20 * 3)
    monkeypatch.setattr(decoding, "fitted", lambda *given: ahead.append(given[1]) or original(*given))
    taken = decoding._pictures(source, form, decoding._sizes(source, form))
    for number, _ in enumerate(taken):
        assert len(ahead) <= number + 2


def test_a_check_says_how_many_come_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ImageModality().check(str(folder), "train", Path(), batch=5, resolution=8, fit="tiles")
    text = capsys.readouterr().out
    assert "  tiles    5 of 8x8\n" in text
    assert "  fit: tiles\n" in text
    with pytest.raises(SystemExit):
        ImageModality().check(str(folder), "train", Path(), batch=6, resolution=8, fit="tiles")
    assert "5 usable tiles are fewer than a batch of 6: set batch to 5 or less." in capsys.readouterr().out


def test_whole_pictures_are_brought_after_a_training_on_tiles(folder: Path) -> None:
    brought = ImageModality().bring(folder, Form(8, 3, "tiles"), labelled=False, any_size=False)
    assert [tuple(brought[place : place + 1].shape[2:]) for place in range(3)] == [(9, 20), (8, 8), (17, 15)]
    assert brought.together == 1


def test_tiles_are_kept_apart_from_other_fits(folder: Path) -> None:
    assert decoded(Folder(folder), Form(8, 3, "tiles")).folder != decoded(Folder(folder), Form(8, 3, "crop")).folder
    assert "tiles" not in json.loads((decoded(Folder(folder), Form(8, 3, "crop")).folder / "about.json").read_text())
    assert torch.equal(decoded(Folder(folder), Form(8, 3, "tiles")).reference.labels, torch.tensor([0, 0, 0, 1, 1]))
