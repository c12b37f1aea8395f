"""The truth of the benchmark: the same for a seed, what it writes is likely to it, and it tells how likely."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganlit.networks.text.lstm import LSTMGenerator
from ganlit.networks.text.oracle import TOGETHER, Oracle


def cell(oracle: Oracle, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """A step as SeqGAN's code writes it: gates in torch's order, input, forget, new, output."""
    memory = oracle.memory
    gates = x @ memory.weight_ih_l0.T + h @ memory.weight_hh_l0.T + memory.bias_ih_l0
    into, keep, new, out = gates.chunk(4)
    c = keep.sigmoid() * c + into.sigmoid() * new.tanh()
    return out.sigmoid() * c.tanh(), c


def test_its_weights_are_standard_normal_and_follow_from_the_seed() -> None:
    one, same, other = Oracle(3), Oracle(3), Oracle(4)
    weights = torch.cat([each.flatten() for each in one.parameters()])
    assert torch.equal(weights, torch.cat([each.flatten() for each in same.parameters()]))
    assert not torch.equal(one.out.weight, other.out.weight)
    assert abs(float(weights.mean())) < 0.01
    assert abs(float(weights.std()) - 1) < 0.01
    assert not any(each.requires_grad for each in one.parameters())
    assert (one.symbols, one.length, one.ends) == (5000, 20, False)


def test_it_tells_the_probability_of_a_text_as_the_equations_do() -> None:
    oracle = Oracle(0, symbols=30, length=5, width=4, hidden=6)
    (text,) = oracle.texts(1)
    x, h, c, total = oracle.before.start, torch.zeros(6), torch.zeros(6), 0.0
    for symbol in text:
        h, c = cell(oracle, x, h, c)
        total -= float((oracle.out.weight @ h + oracle.out.bias).log_softmax(0)[symbol])
        x = oracle.before.symbols.weight[symbol]
    assert math.isclose(float(oracle.nll(text[None])), total / 5, rel_tol=1e-5)


def test_the_first_texts_are_the_same_for_any_number() -> None:
    oracle = Oracle(0, symbols=30, length=5, width=4, hidden=6)
    many = oracle.texts(TOGETHER + 3)
    assert many.shape == (TOGETHER + 3, 5)
    assert torch.equal(oracle.texts(4), many[:4])
    assert not torch.equal(oracle.texts(4, seed=1), many[:4])
    assert len(many[TOGETHER:].unique(dim=0)) == 3


def test_its_own_texts_are_likely_to_it_and_those_of_others_are_not() -> None:
    """A network that knows nothing begins above 10, as in the authors' log; uniform probability would be 8.5."""
    oracle = Oracle(0)
    own = oracle.nll(oracle.texts(500))
    torch.manual_seed(0)
    label = torch.zeros(500, dtype=torch.int64)
    stranger = LSTMGenerator(5000, 20, ends=False, deviation=0.1)
    other = oracle.nll(stranger.write(stranger.latents(label), label))
    assert 4.5 < float(own.mean()) < 7.5
    assert 9.5 < float(other.mean()) < 11.5
