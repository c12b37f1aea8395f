"""The policy gradient: what a place is rewarded by, and that its mean is the gradient of what is expected."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from ganlit.errors import UserError
from ganlit.losses.text.base import Turn
from ganlit.losses.text.baselines import LearnedBaseline, MovingBaseline
from ganlit.losses.text.policy import PolicyGradient, worth
from ganlit.networks.text.lstm import LSTMGenerator
from ganlit.networks.text.valued import Valued

Judge = Callable[[Tensor, Tensor], list[Tensor]]


def generator(length: int = 3, symbols: int = 3, ends: bool = False) -> LSTMGenerator:
    torch.manual_seed(0)
    return LSTMGenerator(symbols, length, ends=ends, width=3, hidden=4).double()


def likes_twos(tokens: Tensor, label: Tensor) -> list[Tensor]:
    """Texts are real by how many twos they have."""
    return [(tokens == 2).double().sum(1) - 1]


def turn(network: Any, batch: int, judge: Judge = likes_twos) -> Turn:
    return Turn(network, torch.zeros(batch, dtype=torch.int64), 0.0, judge, lambda fake: fake.sum())


def gradient(network: Any, term: Tensor) -> Tensor:
    return torch.cat([each.flatten() for each in torch.autograd.grad(term, list(network.parameters()))])


def exact(network: LSTMGenerator) -> Tensor:
    """The gradient of what is expected, over all texts there are."""
    texts = torch.tensor(list(itertools.product(range(3), repeat=3)))
    label = torch.zeros(len(texts), dtype=torch.int64)
    logs = network(texts, label).log_softmax(2).gather(2, texts[..., None]).sum((1, 2))
    return gradient(network, -(logs.exp() * worth(likes_twos(texts, label))).sum()) / 3  # a mean over places


def test_its_mean_is_the_gradient_of_the_expected_reward_with_roll_outs_or_a_baseline() -> None:
    network = generator()
    right = exact(network)
    for estimator in (
        PolicyGradient(rollouts=4, update_rate=0.0),
        PolicyGradient(rollouts=0),
        PolicyGradient(rollouts=0, baseline=MovingBaseline()),
    ):
        estimator.start(network)
        if estimator.baseline is not None:
            estimator.baseline.mean.fill_(0.4)
        torch.manual_seed(1)
        torch.set_default_dtype(torch.float64)
        try:
            found = gradient(network, estimator.terms(turn(network, 20_000))["adversarial"])
        finally:
            torch.set_default_dtype(torch.float32)
        assert (found - right).norm() < 0.06 * right.norm()


def test_a_place_gets_the_mean_of_what_its_roll_outs_get_and_the_last_one_what_the_text_gets() -> None:
    network = generator(length=4)
    estimator = PolicyGradient(rollouts=2000, update_rate=0.5)
    estimator.start(network)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3)
    tokens = torch.tensor([[2, 1, 0, 2], [0, 0, 1, 1]])
    torch.manual_seed(2)
    found = estimator.returns(turn(network, 2), tokens)
    assert torch.allclose(found[:, -1], worth(likes_twos(tokens, tokens[:, 0])))
    policy, label = estimator.policy, torch.zeros(9, dtype=torch.int64)  # which has not moved
    ends = torch.tensor(list(itertools.product(range(3), repeat=2)))
    for row in range(2):
        texts = torch.cat([tokens[row : row + 1, :2].expand(9, -1), ends], dim=1)
        logs = policy(texts, label).log_softmax(2).gather(2, texts[..., None])[:, 2:].sum((1, 2))
        expected = (logs.exp() * worth(likes_twos(texts, label))).sum()
        assert abs(float(found[row, 1] - expected)) < 0.02


def test_the_roll_out_policy_keeps_its_share_of_itself() -> None:
    network, estimator = generator(), PolicyGradient(rollouts=1, update_rate=0.8)
    estimator.start(network)
    before = copy.deepcopy(network.state_dict())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    estimator.follow(network)
    for name, value in estimator.policy.state_dict().items():
        torch.testing.assert_close(value, before[name] + 0.2)
    assert not any(each.requires_grad for each in estimator.parameters())
    assert PolicyGradient(rollouts=0).policy is None
    estimator.train()
    assert not estimator.policy.training


def test_nothing_behind_an_end_is_rewarded() -> None:
    network = generator(length=5, ends=True)
    logits: list[Tensor] = []
    network.register_forward_hook(lambda *args: logits.append(args[2]))
    estimator = PolicyGradient(rollouts=2)
    estimator.start(network)
    torch.manual_seed(3)
    term = estimator.terms(turn(network, 50))["adversarial"]
    (slope,) = torch.autograd.grad(term, logits[-1])
    torch.manual_seed(3)
    tokens = network.write(network.latents(torch.zeros(50, dtype=torch.int64)), torch.zeros(50, dtype=torch.int64))
    behind = (tokens == 0).cumsum(1) - (tokens == 0).long() > 0
    assert behind.any()
    assert torch.equal(slope.abs().sum(2) > 0, ~behind)


def test_with_a_discount_a_place_gets_what_it_and_those_behind_it_get() -> None:
    network, estimator = generator(length=4), PolicyGradient(rollouts=0, discount=0.5)
    rewards = torch.tensor([[0.1, 0.2, 0.4, 0.8]]).double()
    found = estimator.returns(turn(network, 1, lambda *_: [rewards.logit()]), torch.tensor([[1, 2, 1, 2]]))
    torch.testing.assert_close(found, torch.tensor([[0.4, 0.6, 0.8, 0.8]]).double())
    with pytest.raises(UserError, match="does not judge at each place"):
        estimator.returns(turn(network, 1), torch.tensor([[1, 2, 1, 2]]))


def test_several_judgements_of_a_text_are_averaged() -> None:
    one, patches = torch.tensor([0.0, 2.0]), torch.tensor([[1.0, -1.0], [3.0, 3.0]])
    expected = torch.stack([one.sigmoid(), patches.sigmoid().mean(1)]).mean(0)
    torch.testing.assert_close(worth([one, patches]), expected)


def test_a_moving_baseline_moves_once_a_step_by_all_its_parts() -> None:
    network, baseline = generator(length=2), MovingBaseline(0.5)
    baseline.start(network)
    returns = torch.tensor([[1.0, 2.0], [3.0, 8.0]])
    here = torch.tensor([[True, True], [True, False]])
    for row in range(2):
        expected, terms = baseline.expected(turn(network, 1), returns, returns[row : row + 1], here[row : row + 1])
        assert (expected.tolist(), terms) == ([[0.0, 0.0]], {})
    baseline.follow()
    assert baseline.mean.tolist() == [1.0, 1.0]
    baseline.follow()  # nothing was seen
    assert baseline.mean.tolist() == [1.0, 1.0]


def test_a_learned_baseline_teaches_the_values_of_the_generator() -> None:
    network = Valued(generator(length=4, ends=True), width=2, hidden=3).double()
    estimator = PolicyGradient(rollouts=0, baseline=LearnedBaseline(2.0))
    estimator.start(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.03)
    for _ in range(150):
        torch.manual_seed(4)
        loss = estimator.terms(turn(network, 64, lambda tokens, _: [torch.full((len(tokens),), 2.0).double()]))[
            "baseline"
        ]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert all(each.grad is None for each in network.generator.parameters())
    assert float(loss.detach()) < 1e-3
    with pytest.raises(UserError, match="LSTMGenerator has none: name Valued"):
        PolicyGradient(baseline=LearnedBaseline()).start(generator())


def test_what_means_nothing_is_refused() -> None:
    with pytest.raises(UserError, match=r"discount is 0.9 beside 16 roll-outs"):
        PolicyGradient(discount=0.9)
    with pytest.raises(UserError, match=r"PolicyGradient.update_rate is 1.0: it must be at least 0 and below 1"):
        PolicyGradient(update_rate=1.0)
