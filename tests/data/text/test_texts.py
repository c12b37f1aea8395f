from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ganlit.data.text.texts import Texts
from ganlit.data.text.vocabulary import Vocabulary
from ganlit.errors import UserError

Make = Callable[..., Path]

LINES = [f"{'abc'[number % 3]} {'xyz'[number // 3 % 3]} ." for number in range(40)]


def ready(data: Texts) -> Texts:
    data.prepare_data()
    data.setup("fit")
    return data


def test_texts_are_rows_that_end_with_zeros(make_lines: Make) -> None:
    data = ready(Texts(str(make_lines(LINES)), 5, batch=4))
    assert data.modality.vocabulary.symbols == ["", "\ufffd", ".", "x", "a", "b", "c", "y", "z"]
    batch = data.dataset[torch.tensor([0, 4])]
    assert batch.item.tolist() == [[4, 3, 2, 0, 0], [5, 7, 2, 0, 0]]
    assert batch.item.dtype == data.reference.items.dtype == torch.int32
    assert data.to_network(batch).item.dtype == torch.int64
    assert data.modality.texts(batch.item) == ["a x .", "b y ."]
    assert batch.label.tolist() == [0, 0]
    assert data.grid(2, 3).item.shape == (6, 5)


def test_the_vocabulary_is_made_of_what_is_trained_on(make_lines: Make, tmp_path: Path) -> None:
    lines = [f"word{number}" for number in range(40)]
    data = ready(Texts(str(make_lines(lines)), 2, held_out=0.25, batch=4))
    assert len(data.modality.vocabulary) == 2 + 30
    assert len(data.reference.items) == 10
    assert (data.reference.items[:, 0] == 1).all()
    trained = data.trained_of("target").items[torch.arange(30)]
    assert (trained[:, 0] > 1).all()
    assert len(data.dataset) == 30
    left = ready(Texts(str(make_lines([*lines, "1 2 3"])), 2, held_out=0.25, skip_bad=True, batch=4))
    assert (left.reference.items[:, 0] == 1).all()
    elsewhere = ready(Texts(str(make_lines(lines)), 2, held_out=str(make_lines(["word1 new"], "b.txt")), batch=4))
    assert elsewhere.modality.texts(elsewhere.reference.items) == ["word1 \ufffd"]


def test_classes_come_along(make_lines: Make) -> None:
    data = ready(Texts(str(make_lines(["a", "b", "c"], "t.csv", labels=["x", "y", "x"])), 2, batch=2))
    assert data.classes == ("x", "y")
    assert data.dataset[torch.arange(3)].label.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"length": 2}, r"texts.txt line 1 has 3 words, more than the length of 2: raise length, or set shorten: true"),
        ({"length": 0}, r"data.init_args.length is 0: it must be at least 1"),
        ({"length": 5, "symbols": 2}, r"data.init_args.symbols is 2: it must be at least 3"),
        ({"length": 5, "unit": "letters"}, r"data.init_args.unit is letters: it must be one of characters, words, bpe"),
        ({"length": 5, "batch": 64}, r"has 40 texts to train on, fewer than a batch"),
        ({"length": 5, "vocabulary": "nowhere"}, r"nowhere cannot be read"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(make_lines: Make, options: dict, said: str) -> None:
    with pytest.raises(UserError, match=said):
        ready(Texts(str(make_lines(LINES)), **{"batch": 4, **options}))


def test_long_texts_are_shortened_or_left_out(make_lines: Make) -> None:
    file = str(make_lines([*LINES, "a x . and more"]))
    short = ready(Texts(file, 3, shorten=True, batch=4))
    assert short.modality.texts(short.reference.items[-1:]) == ["a x ."]
    left = ready(Texts(file, 3, skip_bad=True, batch=4))
    assert len(left.reference.items) == 40
    assert left.stored.skipped[0][1].startswith("has 5 words, more than the length of 3")
    assert any("1 of 41 texts are longer than 3 words" in note for note in short.stored.about["notes"])


def test_windows_begin_anywhere_between_their_place_and_the_next(make_lines: Make) -> None:
    text = "".join(chr(ord("A") + number) for number in range(26))
    data = ready(Texts(str(make_lines([text])), 4, unit="characters", each="windows", batch=2))
    kind, dataset, count = data.modality, data.dataset, len(data.dataset)
    assert kind.texts(data.reference.items) == [text[first : first + 4] for first in range(0, 24, 4)]
    assert kind.texts(data.measured[torch.tensor([1])].item) == ["EFGH"]
    drawn = [kind.texts(dataset[torch.tensor([1 + count * turn])].item)[0] for turn in range(40)]
    assert {*drawn} == {text[first : first + 4] for first in range(4, 8)}
    last = {kind.texts(dataset[torch.tensor([count - 1 + count * turn])].item)[0] for turn in range(10)}
    assert last == {"UVWX"}
    again = [kind.texts(dataset[torch.tensor([1 + count * turn, 3])].item)[0] for turn in range(40)]
    assert again == drawn


def test_windows_see_nothing_of_what_is_held_out(make_lines: Make) -> None:
    lines = ["".join(chr(256 + 100 * row + number) for number in range(80)) for row in range(2)]
    data = ready(Texts(str(make_lines(lines)), 4, unit="characters", each="windows", held_out=0.3, batch=2))
    held = {*data.reference.items.flatten().tolist()}
    indices = torch.arange(20 * len(data.dataset))
    assert held.isdisjoint(data.dataset[indices].item.flatten().tolist())


def test_a_run_keeps_its_vocabulary_and_refuses_another(make_lines: Make, tmp_path: Path) -> None:
    run, file = tmp_path / "run", make_lines(LINES)
    run.mkdir()
    data = Texts(str(file), 5, batch=4)
    with pytest.raises(UserError, match=r"Nobody says what the numbers of these texts stand for"):
        data.modality.texts(torch.tensor([[2]]))
    ready(data).keep(run)
    data.keep(run)
    away = Texts(str(file), 5, batch=4)
    away.recall(run)
    assert away.modality.texts(torch.tensor([[4, 2, 0]])) == ["a ."]
    away.prepare_data()
    file.write_text("others\n" * 8)
    other = Texts(str(file), 5, batch=4)
    other.recall(run)
    with pytest.raises(UserError, match=r"vocabulary.json is not the vocabulary of .* as it is here: bring its texts"):
        other.prepare_data()
    with pytest.raises(UserError, match=r"vocabulary.json is another vocabulary than that of .*: give another --name"):
        other.keep(run)
    own = ready(Texts(str(file), 5, vocabulary=run, batch=4))
    assert own.reference.items[0].tolist() == [1, 0, 0, 0, 0]
    assert own.modality.vocabulary.digest == Vocabulary.read(run).digest


def test_the_same_texts_are_decoded_once(make_lines: Make) -> None:
    file = str(make_lines(LINES))
    one, two = (ready(Texts(file, 5, batch=4)) for _ in range(2))
    assert one.stored.folder == two.stored.folder
    assert one.reference.digest == two.reference.digest
    assert ready(Texts(file, 6, batch=4)).reference.digest != one.reference.digest
