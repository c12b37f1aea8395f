from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganlit.data.images.brought import Brought
from ganlit.data.images.catalogue import open_all
from ganlit.data.images.decoding import decoded
from ganlit.data.images.fitting import Form
from ganlit.data.images.folder import Folder
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
