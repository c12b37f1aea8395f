from __future__ import annotations

import pytest
import torch

from ganlit.data.text.modality import TextModality
from ganlit.data.text.oracle import OracleTexts
from ganlit.errors import UserError
from ganlit.metrics.measure import improves
from ganlit.metrics.paired import Comparison


def test_an_oracle_tells_how_probable_its_sequences_are() -> None:
    kind = OracleTexts(count=16, symbols=20, length=5).modality
    found = Comparison("oracle-nll", kind)
    items = kind.oracle.draw(6, 5, seed=0)
    name, kept = found.seen(items)
    assert name.startswith("oracle-nll-oracle@")
    assert found.scores(kept).tolist() == pytest.approx(kind.oracle.nll(items).tolist())
    assert found.seen(torch.zeros_like(items))[1].mean() > 0


def test_other_texts_have_none() -> None:
    with pytest.raises(UserError, match="oracle-nll asks the oracle of OracleTexts, and these texts are from"):
        Comparison("oracle-nll", TextModality())


def test_the_less_improbable_are_the_better() -> None:
    name = "oracle1k-nll-oracle@572f9a48/-/-/-/ema"
    assert improves(name, 8.0, 9.0)
    assert not improves(name, 9.0, 8.0)
