from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlit.metrics.text.bleu import References, bleu, corpus_bleu

TEXT = st.lists(st.sampled_from("abcd"), max_size=7)
TEXTS = st.lists(TEXT, min_size=1, max_size=4)


def of_nltk(text: list[str], references: list[list[str]], order: int) -> float:
    found = pytest.importorskip("nltk.translate.bleu_score")
    weights = (1 / order,) * order
    smoothing = found.SmoothingFunction().method1
    return float(found.sentence_bleu(references, text, weights, smoothing_function=smoothing))


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXTS, st.integers(1, 5))
def test_a_text_has_the_bleu_of_nltk(text: list[str], references: list[list[str]], order: int) -> None:
    wanted = of_nltk(text, references, order) if text else 0.0
    assert bleu(text, References(references, order), order) == pytest.approx(wanted, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXT.filter(bool), min_size=2, max_size=5), st.integers(1, 4))
def test_a_text_among_others_is_held_against_the_others_alone(texts: list[list[str]], order: int) -> None:
    references = References(texts, order)
    for place, text in enumerate(texts):
        others = texts[:place] + texts[place + 1 :]
        assert bleu(text, references, order, place) == pytest.approx(of_nltk(text, others, order), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, st.integers(1, 4))
def test_texts_together_have_the_bleu_of_sacrebleu(
    texts: list[list[str]], references: list[list[str]], order: int
) -> None:
    theirs = pytest.importorskip("sacrebleu").BLEU(tokenize="none", max_ngram_order=order, force=True)
    streams = [[" ".join(reference)] * len(texts) for reference in references]
    wanted = theirs.corpus_score([" ".join(text) for text in texts], streams).score
    assert corpus_bleu(texts, References(references, order), order) == pytest.approx(wanted, abs=1e-9)


def test_by_hand() -> None:
    references = References([["the", "cat", "sat", "on", "the", "mat"], ["a", "dog", "sat"]], 2)
    assert references.matches(["the", "the", "the", "dog"], 1) == (3, 4)
    assert references.closest(4) == 3
    assert references.closest(3, own=True) == 6
    assert bleu(["a", "dog", "sat"], references, 2) == 1
    assert bleu([], references, 2) == 0
