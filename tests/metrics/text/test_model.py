from __future__ import annotations

import math

import pytest

from ganlit.metrics.text.model import END, START, NgramModel

TEXTS = [list("abab"), list("abc"), list("ba")]
PIECES = [*"abc", END]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_chances_of_all_pieces_and_of_one_unknown_are_one(order: int) -> None:
    model = NgramModel(TEXTS, order)
    for before in [(START,) * (order - 1), tuple("ab"[: order - 1]), tuple("zz"[: order - 1])]:
        total = sum(model.chance(piece, before) for piece in [*PIECES, "never"])
        assert total == pytest.approx(1)


def test_pairs_by_hand() -> None:
    model = NgramModel(TEXTS, 2)
    # "b" follows "a" in 3 of 4 rows ("ab" thrice, "a" and the end once); behind "a" come 2 kinds of pieces.
    # Kinds of what stands before each: a after start, b; b after a, start; c after b; the end after b, c, a: 8 in all.
    low = (2 - 0.75) / 8 + 0.75 * 4 / 8 * (1 / 5)
    assert model.chance("b", ("a",)) == pytest.approx((3 - 0.75) / 4 + 0.75 * 2 / 4 * low)


def test_what_it_has_read_is_less_surprising() -> None:
    model = NgramModel(TEXTS * 5, 3)
    assert model.surprise(list("abab")) < model.surprise(list("bbaa")) < model.surprise(list("zzzz"))
    assert model.perplexity([list("abc")]) == pytest.approx(math.exp(model.surprise(list("abc")) / 4))
    assert model.perplexity([[]]) > 1


def test_an_unknown_piece_is_one_of_a_vocabulary() -> None:
    small, large = NgramModel(TEXTS, 2), NgramModel(TEXTS, 2, pieces=999)
    assert small.chance("z", ("q",)) > large.chance("z", ("q",))
    assert large.floor == 1 / 1000
