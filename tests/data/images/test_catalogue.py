from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ganlit.data.images.catalogue import open_source
from ganlit.errors import UserError


def test_names_are_known_in_any_case(tmp_path: Path) -> None:
    assert open_source("Digits", "train", tmp_path).name == "digits-train"
    assert open_source("flowers102", "val", tmp_path).name == "flowers102-val"


def test_a_name_goes_before_a_folder_that_is_not_spelt_as_a_path(
    make_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_folder(["1.png"], "digits")
    monkeypatch.chdir(tmp_path)
    assert len(open_source("digits", "train", tmp_path)) == 5000
    assert len(open_source("./digits", "train", tmp_path)) == 1


def test_folders_and_zips_are_told_apart(make_folder: Callable[..., Path], make_zip: Callable[..., Path]) -> None:
    assert open_source(str(make_folder(["1.png"])), "train", Path()).name == "photos"
    assert open_source(str(make_zip(["1.png"])), "train", Path()).name == "set"


@pytest.mark.parametrize("path", ["nowhere/photos", "photos.zip", "~/no such photos"])
def test_a_missing_path_is_named(path: str) -> None:
    with pytest.raises(UserError, match=f"^{path} does not exist: give a folder of images or a zip as source"):
        open_source(path, "train", Path())


@pytest.mark.parametrize(
    ("typed", "meant"), [("cifar11", "CIFAR10"), ("digit", "digits"), ("FashonMNIST", "FashionMNIST")]
)
def test_an_unknown_name_has_a_nearest_one(typed: str, meant: str) -> None:
    with pytest.raises(UserError, match=f"There is no dataset or path {typed}: did you mean {meant}?"):
        open_source(typed, "train", Path())


def test_a_name_like_no_other_says_what_there_is() -> None:
    with pytest.raises(UserError, match="There is no dataset or path xyz: give digits, a class of"):
        open_source("xyz", "train", Path())
