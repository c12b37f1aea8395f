from __future__ import annotations

import pytest
import torch

from ganlit.errors import UserError
from ganlit.metrics.extractors import extractor
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.text.grams import hashed


def test_counted_ngrams_know_words_and_parts_of_them() -> None:
    found = extractor("ngrams")
    texts = ["the cat sat", "the cats sat", "quite another one", "the cat sat", "  "]
    rows = found(found.wants(texts))["pool"]
    assert rows.shape == (5, found.dim)
    assert rows[:4].norm(dim=1).tolist() == pytest.approx([1] * 4)
    assert torch.equal(rows[0], rows[3])
    assert rows[4].norm() == 0
    assert rows[0] @ rows[1] > 0.5
    assert (rows[0] @ rows[2]).abs() < 0.3
    assert torch.equal(hashed("the cat sat"), rows[0])
    with pytest.raises(UserError, match="extractor ngrams takes texts"):
        found(torch.zeros(2, 3, dtype=torch.int64))


@pytest.fixture(scope="module")
def minilm() -> FeatureExtractor:
    pytest.importorskip("tokenizers")
    try:
        return extractor("minilm")
    except UserError as missing:
        pytest.skip(str(missing))


def test_sentences_have_the_embedding_that_their_authors_show(minilm: FeatureExtractor) -> None:
    rows = minilm(minilm.wants(["This is an example sentence", "Each sentence is converted"]))["pool"]
    assert rows[0, :5].tolist() == pytest.approx([0.0676569, 0.0634960, 0.0487131, 0.0793050, 0.0374481], abs=2e-6)
    assert rows.norm(dim=1).tolist() == pytest.approx([1, 1])


def test_sentences_of_one_meaning_are_near(minilm: FeatureExtractor) -> None:
    near, also, far = minilm(minilm.wants(["A cat sits on a mat.", "a kitten is on the carpet", "Taxes rose in May."]))[
        "pool"
    ]
    assert near @ also > 0.4 > near @ far
    alone = minilm(minilm.wants(["A cat sits on a mat."]))["pool"][0]
    assert torch.allclose(alone, near, atol=1e-6)
    assert minilm.protocol.endswith("/128tokens")
