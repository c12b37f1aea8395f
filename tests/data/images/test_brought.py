from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganlit.data.images.beside import Beside
from ganlit.data.images.brought import Brought
from ganlit.data.images.catalogue import open_all
from ganlit.data.images.decoding import decoded
from ganlit.data.images.folder import Folder
from ganlit.data.images.form import Form
from ganlit.errors import UserError

Make = Callable[..., Path]
Paint = Callable[..., Image.Image]

NAMES = ["a/0.png", "a/1.png", "b/2.png", "b/3.png"]


@pytest.mark.parametrize("form", [Form(8, 3), Form(8, 1, convert=True), Form(6, 3, "resize"), Form(12, 3, "pad")])
def test_pictures_are_brought_as_those_of_a_training(make_folder: Make, form: Form) -> None:
    folder = make_folder(NAMES)
    brought, trained = Brought(open_all(folder, True), form), decoded(Folder(folder), form).reference
    assert torch.equal(brought[0:4], trained.items)
    assert torch.equal(brought.chosen([3, 1])[0:2], trained.items[[3, 1]])
    assert torch.equal(brought.labels, trained.labels)
    assert (brought.classes, brought.paths) == (("a", "b"), ["a/0", "a/1", "b/2", "b/3"])
    assert brought.together == 64


def test_any_size_comes_as_it_is_and_alone(make_folder: Make, paint: Paint) -> None:
    sizes = [(8, 8), (12, 7), (5, 9), (8, 8)]
    folder = make_folder(NAMES, **{str(n): paint(n, size=size) for n, size in enumerate(sizes)})
    brought = Brought(open_all(folder, True), Form(8, 3, "any"))
    assert brought.together == 1
    for place, (width, height) in enumerate(sizes):
        assert brought[place : place + 1].shape == (1, 3, height, width)


def test_labels_are_known_without_a_picture_that_can_be_read(make_folder: Make) -> None:
    folder = make_folder(NAMES)
    (folder / "b" / "2.png").write_bytes(b"broken")
    brought = Brought(open_all(folder, True), Form(8, 3))
    assert brought.labels.tolist() == [0, 0, 1, 1]
    with pytest.raises(UserError, match=r"b/2\.png is not an image: remove it\.$"):
        brought[0:4]
    assert Brought(open_all(folder, False), Form(8, 3)).classes == ()


def test_what_is_kept_is_seen_straight_with_its_alpha_and_upright(make_folder: Make, paint: Paint) -> None:
    alpha = Image.linear_gradient("L").resize((8, 8))
    clear = paint(0, size=(8, 8))
    clear.putalpha(alpha)
    folder = make_folder(NAMES, **{"0": clear, "1": paint(1, size=(8, 8))})
    held = Image.Exif()
    held[274] = 6
    paint(2, size=(8, 5)).save(folder / "b" / "2.png", exif=held)
    brought = Brought(open_all(folder, True), Form(8, 3, "any"))
    stored, (beside,) = brought.kept(slice(0, 1))
    assert np.array_equal(stored[0].numpy(), np.asarray(clear.convert("RGB")).transpose(2, 0, 1))
    assert np.array_equal(beside.alpha, np.asarray(alpha))
    stored, (beside,) = brought.kept(slice(1, 2))
    assert torch.equal(stored, brought[1:2])
    assert beside == Beside()
    stored, (beside,) = brought.kept(slice(2, 3))
    assert stored.shape == (1, 3, 8, 5)
    assert beside.exif is not None
    with pytest.raises(UserError, match=r"a/0\.png has an alpha channel: add --convert\.$"):
        brought[0:1]


def test_alpha_is_fitted_as_colours_are(make_folder: Make, paint: Paint) -> None:
    clear = paint(0, size=(12, 8))
    clear.putalpha(Image.linear_gradient("L").resize((12, 8)))
    folder = make_folder(["0.png"], **{"0": clear})
    for fit, side in (("crop", 4), ("pad", 16)):
        stored, (beside,) = Brought(open_all(folder, False), Form(side, 3, fit)).kept(slice(0, 1))
        assert stored.shape == (1, 3, side, side)
        assert beside.alpha.shape == (side, side)
    assert not beside.alpha[:4].any()  # around it nothing is seen
    assert beside.alpha[4:12, 2:14].any()


def test_an_array_s_file_stays_where_it_is(make_folder: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder(["0.png"])
    pixels = np.arange(6 * 5 * 3, dtype=np.uint16).reshape(6, 5, 3) * 700
    np.save(folder / "1.npy", pixels)
    seen, original = [], torch.from_numpy
    monkeypatch.setattr(torch, "from_numpy", lambda array: seen.append(array) or original(array))
    stored, _ = Brought(open_all(folder, False), Form(8, 3, "any", depth=16)).kept(slice(1, 2))
    assert np.array_equal(stored[0].numpy(), pixels.transpose(2, 0, 1))
    assert isinstance(seen[-1], np.memmap)
