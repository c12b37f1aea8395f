from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlit.data.text.vocabulary import END, FIRST, UNKNOWN, Vocabulary, pieces
from ganlit.errors import UserError

WORDS = st.text("ab 'é.,-\u2019Z9", max_size=20)


def test_symbols_are_ordered_by_how_often_they_are_there() -> None:
    found = Vocabulary.of(["b a b", "c b a"], "words")
    assert found.symbols == [*FIRST, "b", "a", "c"]
    assert found.encode("a b d") == [3, 2, UNKNOWN]
    assert found.unknown("a b d") == ["d"]
    assert found.decode([3, 2, UNKNOWN, END, 3]) == "a b \ufffd"
    assert found.decode([2, 99]) == "b \ufffd"


def test_so_many_are_taken_and_the_rest_is_unknown() -> None:
    found = Vocabulary.of(["b a b", "c b a"], "words", most=3)
    assert found.symbols == [*FIRST, "b"]
    assert found.encode("a b c") == [UNKNOWN, 2, UNKNOWN]


def test_words_and_the_signs_between_them_are_told_apart() -> None:
    assert pieces("Don't stop, it's half-baked!", "words") == ["Don't", "stop", ",", "it's", "half-baked", "!"]
    assert pieces("ab c", "characters") == ["a", "b", " ", "c"]
    assert Vocabulary.of(["A b"], "words", lower=True).encode("a B") == [2, 3]


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_characters_come_back_as_they_were_and_words_the_second_time(texts: list[str]) -> None:
    characters, words = (Vocabulary.of(texts, unit) for unit in ("characters", "words"))
    for text in texts:
        assert characters.decode(characters.encode(text)) == text
        once = words.decode(words.encode(text))
        assert words.encode(once) == words.encode(text)
        assert words.decode(words.encode(once)) == once


def test_what_nobody_was_trained_with_takes_in_what_it_meets() -> None:
    found = Vocabulary.growing()
    assert [found.decode(found.encode(text)) for text in ("one", "Two é", "one")] == ["one", "Two é", "one"]


def test_parts_of_words_are_found_by_the_library() -> None:
    pytest.importorskip("tokenizers")
    texts = ["low lower lowest", "new newer newest", "Ünlü 5 €"] * 5
    found = Vocabulary.of(texts, "bpe", most=300)
    assert len(found) <= 300
    assert found.symbols[:2] == [*FIRST]
    numbers = found.encode("lowest")
    assert len(numbers) < len("lowest")
    assert min(numbers) > UNKNOWN
    for text in (*texts, "never seen, 日本"):
        assert found.decode([*found.encode(text), END, 5]) == text
    assert found.decode([*found.encode("low"), UNKNOWN, *found.encode("new")]) == "low\ufffdnew"
    with pytest.raises(UserError, match="set symbols, such as 2000"):
        Vocabulary.of(texts, "bpe")
    with pytest.raises(UserError, match=r"begins with 258: raise it"):
        Vocabulary.of(texts, "bpe", most=100)


@pytest.mark.parametrize("unit", ["words", "characters", "bpe"])
def test_it_is_written_and_read_again(tmp_path: Path, unit: str) -> None:
    if unit == "bpe":
        pytest.importorskip("tokenizers")
    found = Vocabulary.of(["ä b, c"], unit, most=300 if unit == "bpe" else None, lower=True)
    found.write(tmp_path / "vocabulary.json")
    for place in (tmp_path, tmp_path / "vocabulary.json"):
        again = Vocabulary.read(place)
        assert again.digest == found.digest
        assert again.encode("Ä b") == found.encode("Ä b")
    assert Vocabulary.of(["ä b, c"], "words").digest != found.digest


@pytest.mark.parametrize(
    "content",
    ["", "[1]", '{"symbols": "ab"}', '{"symbols": ["", "x"], "unit": "words", "ends": true, "lower": false}', "\udcff"],
)
def test_what_is_no_vocabulary_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "vocabulary.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match=r"vocabulary.json is no vocabulary: name the vocabulary.json that a run"):
        Vocabulary.read(tmp_path)


def test_twice_the_same_symbol_is_no_vocabulary(tmp_path: Path) -> None:
    document = Vocabulary.of(["a b"], "words").document
    (tmp_path / "v.json").write_text(json.dumps(document | {"symbols": [*FIRST, "a", "a"]}))
    with pytest.raises(UserError, match="is no vocabulary"):
        Vocabulary.read(tmp_path / "v.json")
    with pytest.raises(UserError, match=r"none.json cannot be read \(No such file"):
        Vocabulary.read(tmp_path / "none.json")
