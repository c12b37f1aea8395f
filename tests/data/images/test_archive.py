from __future__ import annotations

import gzip
import io
import re
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganlit.data.images.archive import Archive
from ganlit.data.source import BadItem, BadLabels
from ganlit.errors import UserError

Make = Callable[..., Path]
NAMES = ["00000/img0.png", "00000/img1.png", "00001/img2.png"]


def labels(archive: Archive) -> list[int | None]:
    return [archive.read(index)[1] for index in range(len(archive))]


def problem(archive: Archive) -> BadItem:
    """The first of an archive."""
    with pytest.raises(BadItem) as raised:
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


def test_a_label_that_is_missing_is_named(make_zip: Make) -> None:
    bad = problem(Archive(make_zip(NAMES, {"labels": [[NAMES[0], 0], [NAMES[2], 0]]})))
    assert str(bad).endswith("00000/img1.png has no label in dataset.json: add it, or set labels: false to do without.")


def test_a_member_that_is_missing_is_named(make_zip: Make) -> None:
    bad = problem(Archive(make_zip(NAMES[1:], {"labels": [[name, 0] for name in NAMES]})))
    assert "set.zip: 00000/img0.png is listed in dataset.json but not there: add it, drop it" in str(bad)
    assert "skip_bad" not in str(bad)


@pytest.mark.parametrize("member", ["/etc/a.png", "../a.png", "x/../../a.png", "C:/a.png", "..\\a.png", "\\a.png"])
def test_unsafe_members_are_named(make_zip: Make, member: str) -> None:
    bad = problem(Archive(make_zip([member])))
    assert bad.topic == "unsafe path"
    assert f"set.zip: {member} is an absolute path or leads out of the zip: rename it" in str(bad)


@pytest.mark.parametrize(
    ("names", "document", "message"),
    [
        ([], None, "set.zip is a zip without images"),
        (NAMES, "{labels", r"set.zip: dataset.json is not JSON \(.*\): mend it, or set labels: false to do without"),
    ],
)
def test_a_malformed_archive_is_refused(make_zip: Make, names: list[str], document: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        len(Archive(make_zip(names, document)))


def tarred(content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("a.png"), io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"no zip",
        lambda whole: b"",
        tarred,
        gzip.compress,
        lambda whole: whole.replace(b"PK\1\2", b"PK\7\7", 1),  # the directory at the end
        lambda whole: whole[:-1],
        lambda whole: whole[: len(whole) // 2],
    ],
)
def test_what_is_no_zip_is_refused(spoil: Callable[[bytes], bytes], make_zip: Make) -> None:
    path = make_zip(NAMES)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UserError, match=r"set.zip is neither a folder nor a zip that can be read \(.+\): give one"):
        Archive(path)


def changed(path: Path, offset: int, value: int) -> None:
    """Sets a byte of what a zip says of each member, in front of it and, two further, in the directory at the end."""
    content = bytearray(path.read_bytes())
    for mark, first in ((b"PK\3\4", offset), (b"PK\1\2", offset + 2)):
        for found in re.finditer(mark, bytes(content)):
            content[found.start() + first] = value
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("offset", "value", "topic", "reason"),
    [
        (6, 1, "encrypted", "is encrypted: zip it anew, deflated and without a password."),
        (8, 97, "packing", "cannot be unpacked (That compression method is not supported): zip it anew, deflated"),
    ],
)
def test_what_cannot_be_unpacked_is_named(make_zip: Make, offset: int, value: int, topic: str, reason: str) -> None:
    path = make_zip(NAMES, {"labels": [[name, 0] for name in NAMES]})
    changed(path, offset, value)
    with pytest.raises(BadLabels, match=r"set.zip: dataset.json (is encrypted|cannot be unpacked .*): mend it, or set"):
        len(Archive(path))
    archive = Archive(path)
    archive.labels = False
    bad = problem(archive)
    assert bad.topic == topic
    assert f"00000/img0.png {reason}" in str(bad)


@given(st.data())
def test_a_damaged_zip_is_refused_in_a_sentence(data: st.DataObject) -> None:
    """Whatever bytes of it are hit: it reads as it was, or says why not."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        picture = io.BytesIO()
        Image.new("L", (4, 4), 9).save(picture, "PNG")
        packed.writestr("a.png", picture.getvalue())
        packed.writestr("dataset.json", '{"labels": [["a.png", 0]]}')
    spoilt = bytearray(content.getvalue())
    for place in data.draw(st.lists(st.integers(0, len(spoilt) - 1), min_size=1, max_size=3)):
        spoilt[place] = data.draw(st.integers(0, 255))
    with TemporaryDirectory() as folder:
        path = Path(folder, "set.zip")
        path.write_bytes(spoilt)
        with suppress(UserError):
            archive = Archive(path)
            for index in range(len(archive)):
                archive.picture(index)


def test_what_a_zip_says_of_sizes_bounds_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("dataset.json", b" " * 2**21)
        packed.writestr("bomb.png", bytes(2**20))
    monkeypatch.setattr("ganlit.data.tree.LARGEST", 10**6)
    with pytest.raises(BadLabels, match=r"dataset.json has 2 MB, more than the 1 that are read: mend it, or set"):
        len(Archive(path))
    archive = Archive(path)
    archive.labels = False
    monkeypatch.setenv("GANLIT_MAX_IMAGE_PIXELS", "1000")
    with pytest.raises(BadItem, match=r"bomb.png has 1 MB, more than the 0 that are read"):
        archive.picture(0)
    monkeypatch.delenv("GANLIT_MAX_IMAGE_PIXELS")
    monkeypatch.setattr("ganlit.data.archive.AT_ONCE", 2**10)
    monkeypatch.setattr(Archive, "content", lambda *given: pytest.fail("unpacked before it was looked at"))
    with pytest.raises(BadItem, match=r"bomb.png is not an image"):
        archive.picture(0)


def test_a_large_member_is_read_as_it_comes(make_zip: Make, paint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(make_zip(NAMES))
    monkeypatch.setattr("ganlit.data.archive.AT_ONCE", 10)
    for index in range(3):
        assert (np.asarray(archive.picture(index)[0].image) == np.asarray(paint(index))).all()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_path_that_is_in_a_zip_twice_is_named(make_zip: Make) -> None:
    bad = problem(Archive(make_zip(["a.png", "b.png", "a.png"])))
    assert "set.zip: a.png is in the zip 2 times: leave one of them" in str(bad)


def test_hidden_things_are_passed_over_wherever_they_are(make_zip: Make) -> None:
    hidden = [".git/a.png", "a/.ipynb_checkpoints/b.png", "__MACOSX/c.png", "a\\__MACOSX\\d.png", "a/Thumbs.db", "a\\"]
    assert Archive(make_zip(["a/1.png", *hidden])).members == ["a/1.png"]


def test_a_zip_has_no_splits(make_zip: Make) -> None:
    with pytest.raises(UserError, match=r"set.zip has no split test"):
        Archive(make_zip(NAMES), "test")
