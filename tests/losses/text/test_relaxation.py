"""Shares in place of symbols: what they are, where they lead, and how they grow hard."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.losses.text.relaxation import GumbelSoftmax, Softmax, Temperature
from ganlit.networks.text.lstm import LSTMGenerator
from ganlit.networks.text.residual import ResidualTextGenerator

LABEL = torch.zeros(5000, dtype=torch.int64)


def generator(ends: bool = False, length: int = 3) -> LSTMGenerator:
    torch.manual_seed(0)
    return LSTMGenerator(4, length, ends=ends, width=3, hidden=4, deviation=0.8)


def shown(estimator: GumbelSoftmax, network: LSTMGenerator, kimg: float = 0.0, label: Tensor = LABEL) -> Tensor:
    torch.manual_seed(1)
    return estimator.shown(network, label, kimg)


def test_a_temperature_falls_by_factors() -> None:
    tau = Temperature(end=12, first=1.0, last=0.01, start=2)
    assert [tau.at(kimg) for kimg in (0, 2, 7, 12, 20)] == pytest.approx([1, 1, 0.1, 0.01, 0.01])
    with pytest.raises(UserError, match=r"Temperature.end is 2 kimg, but Temperature.start 3"):
        Temperature(end=2, start=3)
    with pytest.raises(UserError, match=r"Temperature.last is 0"):
        Temperature(end=2, last=0.0)


def test_shares_are_of_the_equation_and_their_largest_is_a_draw() -> None:
    network = generator()
    soft = shown(GumbelSoftmax(Temperature(end=1, first=0.5)), network)
    torch.testing.assert_close(soft.sum(2), torch.ones(5000, 3))
    torch.manual_seed(1)
    uniform = torch.rand(5000, 3, 4)
    first, _ = network.step(network.begin(5000, LABEL), None)
    torch.testing.assert_close(soft[:, 0], ((first - (-uniform[:, 0].log()).log()) / 0.5).softmax(1))
    tokens = soft.argmax(2)
    seen = torch.bincount(tokens[:, 0] * 4 + tokens[:, 1], minlength=16) / 5000
    pairs = torch.cartesian_prod(torch.arange(4), torch.arange(4))
    logs = network(pairs, LABEL[:16]).log_softmax(2).gather(2, pairs[..., None]).sum((1, 2))
    assert (seen - logs.exp()).abs().sum() < 0.1


def test_they_grow_hard_on_the_clock_and_are_symbols_straight_through() -> None:
    network = generator()
    relaxed = GumbelSoftmax(Temperature(end=1, first=2.0, last=0.001))
    most = [float(shown(relaxed, network, kimg).amax(2).mean()) for kimg in (0.0, 0.5, 1.0)]
    assert most == sorted(most)
    assert most[0] < 0.8
    assert most[2] > 0.99
    hard = shown(GumbelSoftmax(Temperature(end=1, first=2.0), straight_through=True), network)
    soft = shown(relaxed, network)
    torch.testing.assert_close(hard, torch.nn.functional.one_hot(soft.argmax(2), 4).float())
    weights = torch.randn(5000, 3, 4)
    slopes = [torch.autograd.grad((each * weights).sum(), network.out.weight)[0] for each in (hard, soft)]
    torch.testing.assert_close(slopes[0], slopes[1], rtol=1e-4, atol=1e-4)
    assert slopes[0].abs().sum() > 0


def test_nothing_is_behind_an_end() -> None:
    soft = shown(GumbelSoftmax(Temperature(end=1)), generator(ends=True, length=6), label=LABEL[:200])
    tokens = soft.argmax(2)
    behind = (tokens == 0).cumsum(1) - (tokens == 0).long() > 0
    assert behind.any()
    assert not behind.all()
    assert torch.equal(soft[behind], torch.eye(4)[0].expand(int(behind.sum()), -1))


def test_probabilities_of_all_places_are_shown_with_their_gradient() -> None:
    torch.manual_seed(0)
    network = ResidualTextGenerator(4, 3, z_dim=2, width=4, blocks=1, window=3)
    found = Softmax().shown(network, LABEL[:7], 0.0)
    torch.manual_seed(0)
    assert found.shape == (7, 3, 4)
    torch.testing.assert_close(found.sum(2), torch.ones(7, 3))
    assert found.requires_grad
    real = Softmax().real(torch.tensor([[1, 0, 3]]), found)
    assert real.tolist() == [[[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]]
    assert real.dtype == found.dtype
