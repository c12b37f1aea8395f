from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import log_softmax

from ganlit.data.text.oracle import Oracle, OracleTexts
from ganlit.errors import UserError


def by_hand(oracle: Oracle, tokens: list[int]) -> float:
    """The equations of an LSTM, gate by gate."""
    weights = dict(oracle.named_parameters())
    hidden = cell = torch.zeros(oracle.lstm.hidden_size)
    total, before = 0.0, 0
    for token in tokens:
        x = weights["embedding.weight"][before]
        gates = weights["lstm.weight_ih_l0"] @ x + weights["lstm.bias_ih_l0"] + weights["lstm.weight_hh_l0"] @ hidden
        enter, forget, new, leave = gates.chunk(4)
        cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
        hidden = leave.sigmoid() * cell.tanh()
        logits = weights["output.weight"] @ hidden + weights["output.bias"]
        total -= float(log_softmax(logits, 0)[token])
        before = token
    return total / len(tokens)


def test_the_oracle_is_an_lstm_of_normal_weights() -> None:
    oracle = Oracle(symbols=50, hidden=32, seed=3)
    tokens = oracle.draw(4, 6, seed=1)
    assert oracle.nll(tokens).tolist() == pytest.approx([by_hand(oracle, row) for row in tokens.tolist()], rel=1e-5)
    weights = torch.cat([value.flatten() for name, value in oracle.named_parameters() if "bias_hh" not in name])
    assert float(weights.mean()) == pytest.approx(0, abs=0.03)
    assert float(weights.std()) == pytest.approx(1, abs=0.03)
    assert torch.equal(Oracle(50, 32, 3).lstm.weight_hh_l0, oracle.lstm.weight_hh_l0)
    assert not torch.equal(Oracle(50, 32, 4).lstm.weight_hh_l0, oracle.lstm.weight_hh_l0)


def test_its_own_sequences_are_more_probable_than_chance() -> None:
    oracle = Oracle(symbols=200, seed=0)
    own = oracle.nll(oracle.draw(300, 20, seed=5)).mean()
    chance = oracle.nll(torch.randint(200, (300, 20), generator=torch.Generator().manual_seed(0))).mean()
    assert own < math.log(200) < chance


def test_sequences_to_train_on_and_others_to_be_measured() -> None:
    data = OracleTexts(count=200, symbols=100, length=8, batch=16)
    data.prepare_data()
    data.setup("fit")
    assert data.dataset[torch.arange(4)].item.shape == (4, 8)
    assert data.reference.name == "oracle0-test"
    assert data.trained_on.name == "oracle0-train"
    assert data.reference.digest != data.trained_on.digest
    assert data.reference.items.dtype == torch.int32
    items = data.reference.items[:2]
    assert data.modality.counted(items.long()).all()
    assert data.modality.texts(items)[0].split() == [str(number) for number in items[0].tolist()]
    assert torch.equal(data.modality.to_stored(items.long()), items)
    again = OracleTexts(count=200, symbols=100, length=8, batch=16)
    again.prepare_data()
    assert again.reference.digest == data.reference.digest
    with pytest.raises(UserError, match=r"data.init_args.symbols is 1"):
        OracleTexts(symbols=1)
