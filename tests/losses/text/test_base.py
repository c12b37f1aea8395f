"""The likelihood of texts: what counts of them, and how likely it is."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlit.losses.text.base import counted, log_likelihood


def test_a_text_counts_up_to_its_end_and_with_it() -> None:
    texts = torch.tensor([[3, 0, 0, 0], [3, 4, 5, 0], [0, 0, 0, 0], [1, 2, 3, 4]])
    assert counted(texts, True).tolist() == [
        [True, True, False, False],
        [True, True, True, True],
        [True, False, False, False],
        [True, True, True, True],
    ]
    assert counted(texts, False).all()


@given(st.integers(0, 2**20), st.booleans())
def test_it_is_the_logarithm_of_each_probability(seed: int, ends: bool) -> None:
    stream = torch.Generator().manual_seed(seed)
    logits = torch.randn(3, 4, 5, generator=stream, dtype=torch.float64)
    texts = torch.randint(5, (3, 4), generator=stream)
    found = log_likelihood(logits, texts, ends)
    for row in range(3):
        over = False
        for place in range(4):
            odds = logits[row, place].exp()
            expected = 0.0 if over else (odds[texts[row, place]] / odds.sum()).log()
            torch.testing.assert_close(found[row, place], torch.as_tensor(expected, dtype=torch.float64))
            over = over or (ends and texts[row, place] == 0)
