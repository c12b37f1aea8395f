from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganlit.data.images.archive import Archive
from ganlit.data.images.arrays import Arrays, ArraySource
from ganlit.data.images.catalogue import open_source
from ganlit.data.images.decoding import decoded
from ganlit.data.images.fitting import Form
from ganlit.data.images.folder import Folder
from ganlit.data.images.modality import ImageModality
from ganlit.data.images.pictures import Pictures
from ganlit.errors import UserError

Make = Callable[..., Path]
Paint = Callable[..., Image.Image]

NAMES = ["a/0.png", "a/1.png", "b/2.png", "b/3.png", "b/4.png"]


def test_pictures_are_served_as_they_are(make_folder: Make, paint: Paint) -> None:
    wide = {str(n): paint(n, size=(12, 7)) for n in range(5)}
    pictures = Pictures(Folder(make_folder(NAMES, **wide)))
    assert len(pictures) == 5
    wanted = torch.stack([torch.from_numpy(np.array(wide[str(n)])).permute(2, 0, 1) for n in range(5)])
    assert wanted.shape == (5, 3, 7, 12)
    assert torch.equal(pictures[0:5], wanted)
    assert torch.equal(torch.cat([pictures[0:2], pictures[2:4], pictures[4:6]]), wanted)
    assert torch.equal(pictures[3:5], wanted[3:])
    assert torch.equal(pictures[torch.tensor([4, 0, 4])], wanted[[4, 0, 4]])
    assert not (set(os.listdir(os.environ["GANLIT_CACHE"])))


def test_memory_holds_a_slice_and_the_next(make_folder: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Folder(make_folder([f"{n:02}.png" for n in range(40)]))
    read: list[int] = []
    original = source.opened
    monkeypatch.setattr(source, "opened", lambda index: read.append(index) or original(index))
    pictures = Pictures(source)
    assert pictures.size == (8, 8)
    read.clear()
    for first in range(0, 40, 10):
        pictures[first : first + 10]
        assert max(read) < first + 20
    assert sorted(read) == list(range(40))  # each once


def test_large_pictures_come_fewer_at_a_time(make_folder: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = Pictures(Folder(make_folder(NAMES)))
    assert pictures.together == 64
    for values, together in ((2 * 8 * 8 * 3, 2), (8 * 8 * 3 - 1, 1)):
        monkeypatch.setattr("ganlit.data.images.pictures.PIXELS", values)
        assert pictures.together == together


@pytest.mark.parametrize(
    ("mode", "wanted"), [("L", (90,) * 3), ("RGBA", (100, 50, 0)), ("I;16", (156,) * 3), ("CMYK", (255, 127, 0))]
)
def test_other_kinds_become_rgb_as_in_training(mode: str, wanted: tuple[int, ...], tmp_path: Path) -> None:
    colour = {"L": 90, "RGBA": (200, 100, 0, 128), "I;16": 40000, "CMYK": (0, 128, 255, 0)}[mode]
    Image.new(mode, (4, 4), colour).save(tmp_path / f"one.{'tif' if mode in ('I;16', 'CMYK') else 'png'}")
    assert Pictures(Folder(tmp_path))[0:1][0, :, 0, 0].tolist() == list(wanted)


def test_labels_and_classes(make_folder: Make, make_zip: Make) -> None:
    reference = Pictures(Folder(make_folder(NAMES))).reference
    assert (reference.name, reference.classes, reference.labels.tolist()) == ("photos", ("a", "b"), [0, 0, 1, 1, 1])
    listed = {"labels": [["0.png", 1], ["1.png", 0], ["2.png", 1]]}
    pictures = Pictures(Archive(make_zip(["0.png", "1.png", "2.png"], listed)))
    assert (pictures.classes, pictures.labels.tolist()) == (("0", "1"), [1, 0, 1])
    flat = Pictures(Archive(make_zip(["0.png", "1.png"], name="flat.zip")))
    assert (flat.classes, flat.labels.tolist()) == ((), [0, 0])


@pytest.mark.parametrize("label", [[0.5] * 25, 7, "cat", None])
def test_labels_that_are_none_do_not_keep_images_from_being_measured(make_zip: Make, label: object) -> None:
    """FID asks for none: they are as those of the same pictures without labels."""
    listed = [["0.png", 0], ["1.png", label]]
    pictures = ImageModality().open(str(make_zip(["0.png", "1.png"], {"labels": listed})), "train", Path())
    flat = Pictures(Archive(make_zip(["0.png", "1.png"], name="flat.zip")))
    reference = pictures.reference
    assert (reference.classes, reference.labels.tolist(), reference.digest) == ((), [0, 0], flat.digest)
    assert torch.equal(reference.items[0:2], flat[0:2])


def test_images_are_opened_without_their_labels(make_folder: Make) -> None:
    folder = make_folder(["a/0.png", "b/1.png", "loose.png"])
    pictures = ImageModality().open(str(folder), "train", Path(), labels=False)
    assert (pictures.classes, pictures.labels.tolist()) == ((), [0, 0, 0])
    assert ImageModality().open(str(folder), "train", Path()).digest == pictures.digest


def test_a_choice_is_a_set_of_its_own(make_folder: Make) -> None:
    source = Folder(make_folder(NAMES))
    every, some = Pictures(source), Pictures(source, [4, 1])
    assert (len(some), some.name, some.labels.tolist()) == (2, "photos-2", [1, 0])
    assert torch.equal(some[0:2], every[torch.tensor([4, 1])])
    assert some.digest != every.digest


def test_paths_are_those_inside_without_suffixes(make_folder: Make, make_zip: Make) -> None:
    paths = ["a/0", "a/1", "b/2", "b/3", "b/4"]
    assert Pictures(Folder(make_folder(NAMES))).paths == paths
    assert Pictures(Archive(make_zip(NAMES)), [3, 0]).paths == [paths[3], paths[0]]
    array = ArraySource("noise", [], lambda: Arrays(np.zeros((3, 5, 5), np.uint8), np.zeros(3, int), ("one",)))
    assert Pictures(array).paths == ["0", "1", "2"]


def test_the_digest_is_of_the_content_alone(
    make_folder: Make, make_zip: Make, paint: Paint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(NAMES)
    shutil.copytree(folder, tmp_path / "elsewhere" / "copies", copy_function=shutil.copyfile)
    for file in (tmp_path / "elsewhere").rglob("*.png"):
        os.utime(file, (1, 1))
    make_zip(NAMES, {"labels": [[name, int(name > "b")] for name in NAMES]})
    with monkeypatch.context() as patch:
        patch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("decoded"))
        digest = Pictures(Folder(folder)).digest
        assert Pictures(Folder(tmp_path / "elsewhere" / "copies")).digest == digest
        assert Pictures(Archive(tmp_path / "set.zip")).digest == digest
        (folder / "b/4.png").rename(folder / "a/4.png")
        relabelled = Pictures(Folder(folder)).digest
        assert relabelled != digest
    (folder / "a/4.png").rename(folder / "b/4.png")
    paint(77).save(folder / "a/0.png")
    assert Pictures(Folder(folder)).digest not in (digest, relabelled)


def test_arrays_have_the_digest_of_the_decoded_dataset() -> None:
    digits = open_source("digits", "train", Path("unused"))
    pictures = Pictures(digits)
    stored = decoded(digits, Form(32, 1)).reference
    assert pictures.digest == stored.digest
    assert torch.equal(pictures[40:60], stored.items[40:60].expand(-1, 3, -1, -1))


def test_colour_arrays_have_the_digest_of_the_decoded_dataset() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 5, 5, 3), dtype=np.uint8)
    source = ArraySource("noise", [], lambda: Arrays(images, np.arange(6) % 2, ("even", "odd")))
    assert Pictures(source).digest == decoded(source, Form(5, 3)).reference.digest


def test_mixed_sizes_are_refused_by_the_first_that_differs(make_folder: Make, paint: Paint) -> None:
    folder = make_folder(NAMES, **{"2": paint(2, size=(8, 9)), "4": paint(4, size=(1, 1))})
    wrong = f"^{folder}/b/2.png is 8x9 while {folder}/a/0.png is 8x8: .* resize all alike.$"
    pictures = Pictures(Folder(folder))
    with pytest.raises(UserError, match=wrong):
        pictures[0:5]


def test_what_is_no_picture_is_named(make_folder: Make) -> None:
    png = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(png, "PNG")
    folder = make_folder(NAMES, **{"1": b"text", "3": png.getvalue()[:-500]})
    with pytest.raises(UserError, match=r"a/1.png is not an image: remove it.$"):
        Pictures(Folder(folder)).digest  # noqa: B018
    with pytest.raises(UserError, match=r"a/1.png is not an image: remove it.$"):
        Pictures(Folder(folder))[0:5]
    with pytest.raises(UserError, match=r"b/3.png is truncated or damaged .*: replace it.$"):
        Pictures(Folder(folder))[torch.tensor([3])]


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    Image.new("F", (4, 4), 0.5).save(tmp_path / "one.tif")
    with pytest.raises(UserError, match="holds floating-point pixels: save it with 8 bits a channel"):
        Pictures(Folder(tmp_path))[0:1]
