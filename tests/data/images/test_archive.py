from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganlit.data.images.archive import Archive
from ganlit.data.images.source import BadPicture
from ganlit.errors import UserError

Make = Callable[..., Path]
NAMES = ["00000/img0.png", "00000/img1.png", "00001/img2.png"]


def labels(archive: Archive) -> list[int | None]:
    return [archive.read(index)[1] for index in range(len(archive))]


def problem(archive: Archive) -> BadPicture:
    """The first of an archive."""
    with pytest.raises(BadPicture) as raised:
        labels(archive)
    return raised.value


def test_the_layout_of_stylegan_is_read(make_zip: Make, paint: Callable[..., Image.Image]) -> None:
    document = {"labels": [[name, label] for name, label in zip(NAMES, (1, 0, 1), strict=True)]}
    archive = Archive(make_zip([*NAMES, "__MACOSX/x.png", ".hidden"], document))
    assert labels(archive) == [1, 0, 1]
    assert archive.name == "set"
    for index in range(3):
        assert (np.asarray(archive.picture(index)[0].image) == np.asarray(paint(index))).all()


@pytest.mark.parametrize("document", [None, {"labels": None}, {}])
def test_labels_are_optional(make_zip: Make, document: Any) -> None:
    assert labels(Archive(make_zip(NAMES, document))) == [None] * 3


def test_classes_may_have_names(make_zip: Make) -> None:
    archive = Archive(make_zip(NAMES[:1], {"labels": [[NAMES[0], 2]], "classes": ["a", "b", "c"]}))
    assert archive.classes == ("a", "b", "c")
    assert labels(archive) == [2]


@pytest.mark.parametrize("label", [-1, 3, 1.5, "1", None, True, [0, 1]])
def test_labels_out_of_range_are_named(make_zip: Make, label: Any) -> None:
    document = {"labels": [[NAMES[0], 0], [NAMES[1], 1], [NAMES[2], label]]}
    bad = problem(Archive(make_zip(NAMES, document)))
    assert bad.topic == "label out of range"
    assert f"set.zip: 00001/img2.png has the label {label!r} in dataset.json, which has" in str(bad)


def test_a_label_that_is_missing_is_named(make_zip: Make) -> None:
    bad = problem(Archive(make_zip(NAMES, {"labels": [[NAMES[0], 0], [NAMES[2], 0]]})))
    assert "set.zip: 00000/img1.png has no label in dataset.json: add it" in str(bad)


def test_a_member_that_is_missing_is_named(make_zip: Make) -> None:
    bad = problem(Archive(make_zip(NAMES[1:], {"labels": [[name, 0] for name in NAMES]})))
    assert "set.zip: 00000/img0.png is listed in dataset.json but not in the zip" in str(bad)


@pytest.mark.parametrize("member", ["/etc/a.png", "../a.png", "x/../../a.png", "C:/a.png", "..\\a.png", "\\a.png"])
def test_unsafe_members_are_named(make_zip: Make, member: str) -> None:
    bad = problem(Archive(make_zip([member])))
    assert bad.topic == "unsafe path"
    assert f"set.zip: {member} is an absolute path or leads out of the zip: rename it" in str(bad)


@pytest.mark.parametrize(
    ("names", "document", "message"),
    [
        ([], None, "set.zip is a zip without images"),
        (NAMES, "{labels", "set.zip: dataset.json is not JSON"),
        (NAMES, [1], 'dataset.json must hold {"labels"'),
        (NAMES, {"labels": {"a.png": 1}}, 'dataset.json must hold {"labels"'),
        (NAMES, {"labels": [["a.png"]]}, r"dataset.json has the entry \['a.png'\] where"),
    ],
)
def test_a_malformed_archive_is_refused(make_zip: Make, names: list[str], document: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        len(Archive(make_zip(names, document)))


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_text("no zip")
    with pytest.raises(UserError, match=r"set.zip is neither a folder nor a zip"):
        Archive(tmp_path / "set.zip")


def test_a_zip_has_no_splits(make_zip: Make) -> None:
    with pytest.raises(UserError, match=r"set.zip has no split test"):
        Archive(make_zip(NAMES), "test")
