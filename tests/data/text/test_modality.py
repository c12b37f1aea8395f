from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganlit.configuration.names import recognised
from ganlit.data.text.modality import TextModality
from ganlit.data.text.page import ACROSS, LINES, wrapped
from ganlit.data.text.vocabulary import Vocabulary
from ganlit.errors import UserError

Make = Callable[..., Path]


@pytest.fixture
def kind() -> TextModality:
    return TextModality(Vocabulary.of(["a b c"], "words"))


def test_what_a_network_gives_is_stored_to_its_end(kind: TextModality) -> None:
    numbers = torch.tensor([[2, 0, 3, 4], [4, 9, -1, 2]])
    stored = [[2, 0, 0, 0], [4, 1, 1, 2]]
    assert kind.to_stored(numbers).tolist() == stored
    assert kind.to_stored(numbers.float()).tolist() == stored
    scores = torch.nn.functional.one_hot(numbers.clamp(min=1), 12).float()
    assert kind.to_stored(scores).tolist() == [[2, 1, 3, 4], stored[1]]
    assert kind.to_stored(numbers).dtype == torch.int32
    assert kind.counted(numbers).tolist() == [[True, True, False, False], [True] * 4]


def test_texts_are_as_unlike_as_their_pairs(kind: TextModality) -> None:
    texts = kind.traits(torch.tensor([[2, 3, 4], [2, 3, 0], [2, 3, 4], [4, 3, 2], [0, 3, 3]]))
    far = torch.cdist(texts, texts).square().round()
    # "b" follows "a" in the first two, which differ by "c" or the end behind it; backwards no pair is the same
    assert far[0].tolist() == [0, 2, 0, 6, 4]
    assert texts.sum(1).tolist() == [3, 3, 3, 3, 1]


def test_texts_are_written_and_opened_again(kind: TextModality, tmp_path: Path) -> None:
    stored = torch.tensor([[2, 3, 0], [4, 4, 4]], dtype=torch.int32)
    one = kind.write(stored[0], tmp_path / "folder" / "000000")
    assert one.read_text() == "a b\n"
    for name in ("many.txt", "many.jsonl"):
        file = kind.write_all([stored[:1], stored[1:]], tmp_path / name)
        found = TextModality().open(str(file), "train", tmp_path)
        assert found.modality.texts(found[0:2]) == ["a b", "c c c"]
        assert kind.open(str(file), "train", tmp_path)[0:2].tolist() == stored.tolist()
    assert json.loads((tmp_path / "many.jsonl").read_text().splitlines()[1]) == {"text": "c c c"}


def test_json_lines_say_more_of_each_text(kind: TextModality, tmp_path: Path) -> None:
    stored = torch.tensor([[2, 3, 0], [4, 4, 4]], dtype=torch.int32)
    file = kind.write_all([stored], tmp_path / "told.JSONL", [{"label": 1}, {"label": 0}])
    found = TextModality().open(str(file), "train", tmp_path)
    assert found.modality.texts(found[0:2]) == ["a b", "c c c"]
    assert found.labels.tolist() == [1, 0]


def test_collections_are_like_others(make_lines: Make) -> None:
    found = TextModality().open(str(make_lines(["b", "a", "longer one"])), "train", Path())
    assert found.paths == ["texts-000001", "texts-000002", "texts-000003"]
    assert found[torch.tensor([0])].shape == (1, 10)
    some = found.chosen([2, 0])
    assert (some.name, len(some), len(some.whole)) == ("texts-2", 2, 3)
    assert some.modality.texts(some[0:2]) == ["longer one", "b"]
    assert found.digest != some.digest
    assert found.digest == TextModality().open(str(make_lines(["b", "a", "longer one"])), "train", Path()).digest
    assert (found.classes, found.labels.tolist()) == ((), [0, 0, 0])


def test_two_files_share_numbers_that_grow(make_lines: Make) -> None:
    first = TextModality().open(str(make_lines(["ab"])), "train", Path())
    second = first.modality.open(str(make_lines(["bcé"], "b.txt")), "train", Path())
    assert first.modality.texts(first[0:1]) == ["ab"]
    assert second.modality.texts(second[0:1]) == ["bcé"]
    assert second[0:1][0, 0] == first[0:1][0, 1]


def test_a_beginning_has_known_symbols_alone(kind: TextModality) -> None:
    assert kind.prefix("b a").tolist() == [[3, 2]]
    with pytest.raises(UserError, match=r"--prefix has 'z', which is no symbol of the training's vocabulary"):
        kind.prefix("a z")


def test_they_are_recognised_by_their_files(make_lines: Make, tmp_path: Path) -> None:
    for name in ("a.txt", "b.jsonl", "c.csv", "folder/a.txt"):
        make_lines(["one", "two"], name)
    for place in ("a.txt", "b.jsonl", "c.csv", "folder"):
        assert type(recognised(str(tmp_path / place))) is TextModality
    assert type(recognised("sotu")) is TextModality
    (tmp_path / "sounds.csv").write_text("path,text\na.wav,hello\n")
    assert recognised(str(tmp_path / "sounds.csv")).name == "audio"


def test_a_page_shows_short_texts_in_rows_and_long_ones_below_one_another(tmp_path: Path) -> None:
    texts = ["word"] * 12 + ["so much more to say " * 30]
    vocabulary = Vocabulary.of(texts, "words")
    kind = TextModality(vocabulary)
    rows = [torch.tensor([vocabulary.encode("word")] * 12, dtype=torch.int32)]
    picture, lines = kind.show(rows, 4, tmp_path / "short")
    assert lines.read_text().splitlines() == ["word"] * 12
    short = Image.open(picture).size
    assert short[0] < 400
    kind.show([torch.tensor([vocabulary.encode(texts[-1])], dtype=torch.int32)] * 3, 4, tmp_path / "long")
    assert Image.open(tmp_path / "long.png").size[0] >= ACROSS
    assert len(wrapped(texts[-1], 300)) == LINES
    assert len(wrapped("x" * 3000, 300)) == LINES
    assert wrapped("a b", 300) == ["a b"]
