"""dataset.json in a zip and in a folder alike."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlit.data.images.catalogue import open_source
from ganlit.data.images.source import Source
from ganlit.data.labels import entries_of, normal, numbered
from ganlit.data.source import BadLabels

NAMES = ["00000/0.png", "00000/1.png", "00001/2.png"]

Place = Callable[..., Source]


@pytest.fixture(params=["zip", "folder"])
def place(request: pytest.FixtureRequest, make_zip: Callable[..., Path], tmp_path: Path) -> Place:
    """A source of three pictures with this dataset.json."""

    def make(document: Any, labels: Any = True, names: list[str] = NAMES, below: str = "") -> Source:
        path = make_zip([below + name for name in names])
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(f"{below}dataset.json", document if isinstance(document, str) else json.dumps(document))
            if request.param == "folder":
                archive.extractall(tmp_path / "set")
        return open_source(str(path if request.param == "zip" else tmp_path / "set"), "train", Path(), labels)

    return make


def listed(*labels: Any, **others: Any) -> dict[str, Any]:
    return {"labels": [[name, label] for name, label in zip(NAMES, labels, strict=True)], **others}


def labels_of(source: Source) -> list[int | None]:
    return [source.read(index)[1] for index in range(len(source))]


def test_the_file_says_the_classes_and_not_the_folders(place: Place) -> None:
    source = place(listed(1, 0, 1))
    assert (labels_of(source), source.classes) == ([1, 0, 1], ("0", "1"))


@pytest.mark.parametrize(
    ("labels", "renumbered", "classes"),
    [
        ((1, 2, 2), [0, 1, 1], ("1", "2")),
        ((0, 5, 10**30), [0, 1, 2], ("0", "5", str(10**30))),
        ((3, -1, 3), [1, 0, 1], ("-1", "3")),
        (("dog", "cat", "dog"), [1, 0, 1], ("cat", "dog")),
    ],
)
def test_other_labels_are_numbered_anew_when_asked(
    labels: Any, renumbered: list[int], classes: tuple[str, ...], place: Place
) -> None:
    with pytest.raises(BadLabels, match=r"dataset.json .*: set labels: renumber to number the classes anew, or"):
        len(place(listed(*labels)))
    source = place(listed(*labels), "renumber")
    assert (labels_of(source), source.classes) == (renumbered, classes)
    assert labels_of(place(listed(*labels), False)) == [None] * 3


def test_what_labels_are_not_and_should_be_is_said(place: Place) -> None:
    with pytest.raises(BadLabels, match=r"has 2 classes, numbered 1 to 2 where 0 to 1 is meant: set labels: renumber"):
        len(place(listed(1, 2, 2)))
    with pytest.raises(BadLabels, match=r"names 1 classes, numbered 0 to 1 where 0 to 0 is meant: set labels"):
        len(place(listed(0, 1, 0, classes=["one"])))


@pytest.mark.parametrize("label", [1.5, float("nan"), True, [0.25] * 25, [0, 1], [0, 0], [1, 1], {}, "1", [], [[0]]])
def test_what_is_no_class_is_named(label: Any, place: Place) -> None:
    said = r"gives 00001/2.png the label .* where the number of a class is meant: mend it, or set labels: false to do"
    with pytest.raises(BadLabels, match=said):
        len(place(listed(0, 1, label)))


def test_one_hot_labels_are_classes(place: Place) -> None:
    source = place(listed([0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 1.0, 0]))
    assert (labels_of(source), source.classes) == ([2, 0, 2], ("0", "1", "2", "3"))
    with pytest.raises(BadLabels, match="the label"):
        len(place(listed([0, 1], [1, 0], [1, 0, 0])))


def test_a_picture_that_is_listed_twice_is_named(place: Place) -> None:
    document = listed(0, 1, 0)
    document["labels"].append([f"./{NAMES[1]}", 0])
    with pytest.raises(BadLabels, match=r"dataset.json lists 00000/1.png 2 times, with the labels 1 and 0: mend it"):
        len(place(document))


@pytest.mark.parametrize("spell", [lambda path: path.replace("/", "\\"), lambda path: f"./{path}", "{}".format])
@pytest.mark.parametrize("below", ["", "outer/", "outer/deep/"])
def test_paths_are_found_however_they_are_spelt(spell: Callable[[str], str], below: str, place: Place) -> None:
    document = {"labels": [[spell(name), number] for name, number in zip(NAMES, (1, 0, 1), strict=True)]}
    assert labels_of(place(document, below=below)) == [1, 0, 1]


def test_paths_from_the_top_are_found_too(place: Place) -> None:
    document = {"labels": [[f"outer/{name}", number] for name, number in zip(NAMES, (1, 0, 1), strict=True)]}
    assert labels_of(place(document, below="outer/")) == [1, 0, 1]


def test_accents_are_found_however_they_are_written(place: Place) -> None:
    assert labels_of(place({"labels": [["e\u0301.png", 0]]}, names=["\u00e9.png"])) == [0]


def test_names_are_as_they_can_be_shown(place: Place) -> None:
    assert place(listed(0, 1, 0, classes=["a\nb\ud800", 7])).classes == ("a\\nb\\ud800", "7")


@pytest.mark.parametrize(
    "document",
    [
        *("", "{labels", "3", "[1]", "null", '"labels"', "[" * 100_000, '{"labels": {"a.png": 1}}', '{"labels": 1}'),
        *('{"labels": [["a.png"]]}', '{"labels": [[1, 0]]}', '{"labels": ["a.png"]}', '{"labels": 1' + "0" * 5000),
        *('{"labels": [], "classes": 5}', '{"labels": [], "classes": "ab"}', '{"labels": [], "classes": [[]]}'),
        '{"labels": [["00000/0.png", ' + "[" * 900 + "]" * 900 + "]]}",
    ],
)
def test_a_document_that_is_none_is_refused_and_not_needed(document: str, place: Place) -> None:
    with pytest.raises(BadLabels, match=r"dataset.json .*: mend it, or set labels: false to do without.") as raised:
        len(place(document))
    assert len(str(raised.value)) < 400
    assert labels_of(place(document, False)) == [None] * 3


def test_a_document_may_begin_with_a_mark_of_its_encoding(place: Place) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        entries, _ = entries_of(json.dumps(listed(1, 0, 1)).encode(encoding), "here")
        assert [label for _, label in entries] == [1, 0, 1]


@given(st.dictionaries(st.text(min_size=1), st.integers(), min_size=1))
def test_nothing_is_lost_when_labels_are_numbered_anew(labels: dict[str, int]) -> None:
    found = numbered(list(labels.items()), (), "here", anew=True)
    assert {path: int(found.classes[number]) for path, number in found.labels.items()} == labels
    assert set(found.labels.values()) == set(range(len(found.classes)))
    try:
        assert numbered(list(labels.items()), (), "here", anew=False).labels == labels
        assert set(labels.values()) == set(range(len(set(labels.values()))))
    except BadLabels:
        assert set(labels.values()) != set(range(len(set(labels.values()))))


@settings(max_examples=50)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists))
def test_whatever_a_document_holds_is_read_or_refused(value: Any) -> None:
    twice = [["a", value], ["b", value]]
    for document in (value, {"labels": value}, {"labels": twice}, {"labels": [], "classes": value}):
        for anew in (False, True):
            try:
                entries, names = entries_of(json.dumps(document).encode(), "here")
                found = numbered(entries, names, "here", anew)
            except BadLabels:
                continue
            assert all(0 <= label < len(found.classes) for label in found.labels.values())


@given(st.text())
def test_a_path_has_one_spelling(path: str) -> None:
    assert normal(normal(path)) == normal(path)
