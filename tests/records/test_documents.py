from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlit.errors import UserError
from ganlit.records.documents import mapping, text

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "is no text in UTF-8 .line 1."),
        ("seed: 1".encode("utf-16"), "is text in UTF-16: save it in UTF-8"),
        ("a: 1\n# é".encode("latin-1"), "is no text in UTF-8 .line 2."),
        (b"a: \0", "is no text: name a YAML file"),
        (b"#" * 10_000_001, "has 10 MB, which is no configuration"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"config.yaml {sentence}"):
        text(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, said in {tmp_path / "pipe": "is no file", tmp_path: "is no file", tmp_path / "x": "not exist"}.items():
        with pytest.raises(UserError, match=said):
            text(path)
    with pytest.raises(UserError, match="does not exist"):
        text(Path("a\0b"))


def test_a_mark_at_the_beginning_is_no_content(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfseed: 1\r\n")
    assert mapping(text(tmp_path / "a.yaml"), "a.yaml") == {"seed": 1}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "a.yaml is no mapping in YAML"),
        ("- 1", "a.yaml is no mapping in YAML"),
        ("hello", "a.yaml is no mapping in YAML"),
        ("a: 1\nb: {c: 1, c: 2}", "a.yaml, line 2: the key c stands twice"),
        ("a: &a [1, *a]", "a.yaml, line 1: an alias repeats what it lies in"),
        (BOMB, r"a.yaml holds 1,234,567,901,\d+ values when its aliases are spelled out"),
        ("a: " + "[" * 3000 + "]" * 3000, "a.yaml is no YAML .while increasing flow level"),
        ("- " * 300_000, "a.yaml is nested more than 100 deep"),
        ("a: !!python/object/apply:os.system [ls]", "a.yaml is no YAML .could not determine a constructor"),
        ("a: [1,\n b: }", "a.yaml is no YAML"),
        ("? {a: 1}\n: 2", "a.yaml is no YAML"),
        ("a: 1\n---\nb: 1", "a.yaml is no YAML .expected a single document"),
    ],
)
def test_what_no_one_can_mean_is_refused(content: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        mapping(content, "a.yaml")


def test_aliases_that_repeat_little_are_read() -> None:
    assert mapping("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}", "") == {
        "a": {"x": 1},
        "b": {"x": 1},
        "c": {"x": 1, "y": 2},
    }


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(max_size=5), values, max_size=5))
def test_whatever_yaml_writes_is_read_as_it_was(tree: dict) -> None:
    assert mapping(yaml.safe_dump(tree), "a.yaml") == tree


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(content: str) -> None:
    try:
        said = mapping(content, "a.yaml")
    except UserError as error:
        said = str(error)
    assert isinstance(said, dict) or (said.startswith("a.yaml") and "\n" not in said)
