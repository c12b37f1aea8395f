from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ganlit.data.images.folder import Folder
from ganlit.data.source import NoLabel
from ganlit.errors import UserError

Make = Callable[..., Path]


def labels(folder: Folder) -> list[int | None]:
    return [folder.read(index)[1] for index in range(len(folder))]


def test_sub_folders_are_the_classes(make_folder: Make) -> None:
    folder = Folder(make_folder(["dog/1.png", "cat/2.png", "cat/deep/3.png", ".git/config", "dog/.DS_Store"]))
    assert folder.classes == ("cat", "dog")
    assert labels(folder) == [0, 0, 1]
    assert [Path(folder.title(index)).name for index in range(3)] == ["2.png", "3.png", "1.png"]
    assert folder.name == "photos"


def test_a_flat_folder_has_no_labels(make_folder: Make) -> None:
    folder = Folder(make_folder(["b.png", "a.png"]))
    assert folder.classes == ()
    assert labels(folder) == [None, None]


def test_a_picture_beside_class_folders_has_no_label(make_folder: Make) -> None:
    folder = Folder(make_folder(["cat/1.png", "loose.png"]))
    with pytest.raises(NoLabel) as raised:
        folder.read(1)
    assert str(raised.value).endswith(
        "loose.png lies beside the class folders (cat, ...) and has no label: move it into one of them, or set labels: "
        "false to do without."
    )
    folder = Folder(folder.folder)
    folder.labels = False
    assert (folder.read(1)[1], folder.classes) == (None, ())


def test_a_folder_of_splits_stands_for_one_of_them(make_folder: Make) -> None:
    path = make_folder(["train/cat/1.png", "train/dog/2.png", "val/cat/3.png"])
    assert (Folder(path).name, len(Folder(path)), Folder(path).classes) == ("photos-train", 2, ("cat", "dog"))
    assert (Folder(path, "val").name, len(Folder(path, "val"))) == ("photos-val", 1)
    with pytest.raises(UserError, match="has no split test: set split to one of train, val"):
        Folder(path, "test")


@pytest.mark.parametrize(
    ("beside", "named"),
    [
        (["labels.csv"], "labels.csv"),
        (["README.md", "annotations/1.xml"], "README.md, annotations"),
        (["1.png", "2.png", "3.png", "4.png"], "1.png, 2.png, 3.png"),
    ],
)
def test_what_lies_beside_splits_is_not_passed_over(beside: list[str], named: str, make_folder: Make) -> None:
    path = make_folder(["train/cat/1.png", "Test/cat/2.png", *beside])
    said = f"^{path} holds Test and train, and beside them {named}, which nothing would be read from .*: give {path}/"
    for split, chosen in (("train", "train"), ("test", "Test")):
        with pytest.raises(UserError, match=f"{said}{chosen} as source, or move away what is beside.$"):
            Folder(path, split)
        assert len(Folder(path / chosen)) == 1


def test_splits_of_a_tree_with_dataset_json_are_folders_of_it(make_folder: Make) -> None:
    path = make_folder(["train/1.png", "test/2.png", "dataset.json"], dataset=b'{"labels": [["train/1.png", 0]]}')
    assert Folder(path).members == ["test/2.png", "train/1.png"]
    with pytest.raises(UserError, match="has no folder test"):
        Folder(path, "test")


def test_a_class_may_be_named_like_a_split(make_folder: Make) -> None:
    assert Folder(make_folder(["train/1.png", "tram/2.png"])).classes == ("train", "tram")


def test_a_split_that_is_not_there_is_refused(make_folder: Make) -> None:
    with pytest.raises(UserError, match="photos has no folder val: leave split out"):
        Folder(make_folder(["1.png"]), "val")


def test_an_empty_folder_is_refused(make_folder: Make) -> None:
    with pytest.raises(UserError, match="photos is an empty folder: put images into it"):
        Folder(make_folder([]))


def test_the_fingerprint_changes_with_the_files(make_folder: Make) -> None:
    path = make_folder(["1.png", "2.png"])
    before = Folder(path).fingerprint
    assert Folder(path).fingerprint == before
    os.utime(path / "1.png", ns=(0, 0))
    touched = Folder(path).fingerprint
    (path / "1.png").rename(path / "3.png")
    renamed = Folder(path).fingerprint
    (path / "dataset.json").write_text("{}")
    listed = Folder(path).fingerprint
    (path / "2.png").unlink()
    (path / "2.png").symlink_to("nowhere")
    assert len({before, touched, renamed, listed, Folder(path).fingerprint}) == 5


def test_a_moved_folder_keeps_its_fingerprint(make_folder: Make) -> None:
    path = make_folder(["cat/1.png"])
    before = Folder(path).fingerprint
    assert Folder(path.rename(path.with_name("moved"))).fingerprint == before
