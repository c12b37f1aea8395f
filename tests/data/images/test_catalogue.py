from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ganlit.data.images.catalogue import open_source
from ganlit.data.images.modality import ImageModality
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
    ("source", "said"),
    [
        ("", "The source is empty: give a folder"),
        (" \t", "The source is empty: give a folder"),
        ("~no-one-here/photos", "source is ~no-one-here/photos, but nobody of that name has a home here: write"),
        ("a\0b", r"a\\x00b cannot be read \(embedded null byte\)"),
        ("two\nlines/", r"two\\nlines/ does not exist: give a folder"),
        ("x" * 300, r"x{300} cannot be read \(File name too long\)"),
        ("caf\udce9", r"caf\\udce9 is no UTF-8, and no configuration can name it: rename it, or link to it"),
        ("pipe", "pipe is neither a folder nor a file: give a folder of images or a zip"),
        ("/dev/null", "/dev/null is neither a folder nor a file"),
        ("loop", r"loop cannot be read \(Too many levels of symbolic links\)"),
        ("file.png", r"file.png is neither a folder nor a zip that can be read \(File is not a zip file\)"),
        ("file.png/below", "file.png/below does not exist"),
        ("/", "/ is all that there is here: give a folder of images"),
    ],
)
def test_what_cannot_be_opened_is_refused(
    source: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    os.symlink("loop", "loop")
    Path("file.png").touch()
    for split in ("train", "test") if "file" not in source else ("train",):
        with pytest.raises(UserError, match=f"^{said}"):
            open_source(source, split, Path())
        assert ImageModality().recognises(source) == 0 or source == "/"


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
def test_a_path_that_may_not_be_looked_at_is_named(error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise error

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(UserError, match=rf"^secret cannot be read \({error.strerror}\): give a folder of images"):
        open_source("secret", "train", Path())


def test_the_root_may_be_below_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert str(tmp_path / "sets") in open_source("EuroSAT", "train", Path("~/sets")).fingerprint
    with pytest.raises(UserError, match=r"data.init_args.root is ~nobody-here/sets, but nobody of that name"):
        open_source("EuroSAT", "train", Path("~nobody-here/sets"))


@pytest.mark.parametrize(
    ("typed", "meant"), [("cifar11", "CIFAR10"), ("digit", "digits"), ("FashonMNIST", "FashionMNIST")]
)
def test_an_unknown_name_has_a_nearest_one(typed: str, meant: str) -> None:
    with pytest.raises(UserError, match=f"There is no dataset or path {typed}: did you mean {meant}?"):
        open_source(typed, "train", Path())


def test_a_name_like_no_other_says_what_there_is() -> None:
    with pytest.raises(UserError, match="There is no dataset or path xyz: give digits, shapes, a class of"):
        open_source("xyz", "train", Path())
