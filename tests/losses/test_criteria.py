"""Criteria of a generator that takes data, each beside its closed form."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Normal

from ganlit.contracts import Judgement, Verdict
from ganlit.errors import UserError
from ganlit.losses.base import Attempt, Criterion
from ganlit.losses.inversion import Offsets, Styles
from ganlit.losses.likelihood import KL, NLL
from ganlit.losses.quantization import Codebook, Commitment
from ganlit.losses.reconstruction import L1, L2, Charbonnier, FeatureMatching


def attempt(output: Tensor, target: Tensor, critic: Any = None, **side: Any) -> Attempt:
    return Attempt(target, Verdict(critic or (lambda items: items.flatten(1).mean(1)), target, output, side=side))


MADE, TRUE = torch.tensor([[[1.0, -1.0]], [[0.0, 0.5]]]), torch.tensor([[[0.0, -1.0]], [[2.0, 0.5]]])


@pytest.mark.parametrize(
    ("criterion", "value"),
    [
        (L1(), 3 / 4),
        (L2(), 5 / 4),
        (Charbonnier(epsilon=0.5), (math.sqrt(1.25) + math.sqrt(4.25) + 2 * 0.5) / 4),
    ],
)
def test_distances_are_means_over_all_numbers(criterion: Criterion, value: float) -> None:
    assert criterion(attempt(MADE, TRUE)).item() == pytest.approx(value)
    criterion.weight = 3.0
    assert criterion.term(attempt(MADE, TRUE)).item() == pytest.approx(3 * value)


def test_charbonnier_can_be_differentiated_where_nothing_differs() -> None:
    same = TRUE.clone().requires_grad_()
    Charbonnier()(attempt(same, TRUE)).backward()
    assert torch.equal(same.grad, torch.zeros_like(same))


class Inside(nn.Module):
    """Two networks with one and two features."""

    def forward(self, items: Tensor) -> Judgement:
        flat = items.flatten(1)
        return Judgement([flat.sum(1), flat.sum(1)], [[flat], [flat * 2, flat.square()]])


def test_features_are_matched_over_layers_and_networks() -> None:
    output = MADE.clone().requires_grad_()
    found = FeatureMatching()(attempt(output, TRUE, Inside()))
    first, second = 3 / 4, (2 * 3 / 4 + (1 + 0 + 4 + 0) / 4) / 2
    assert found.item() == pytest.approx((first + second) / 2)
    target = TRUE.clone().requires_grad_()
    FeatureMatching()(attempt(output, target, Inside())).backward()
    assert target.grad is None  # what is true does not come nearer
    assert output.grad.abs().sum() > 0


def test_the_divergence_is_in_nats_for_each_number_of_the_target() -> None:
    mean, scale = torch.randn(3, 5), torch.rand(3, 5) + 0.5
    nats = 0.5 * (mean.square() + scale.square() - 1 - 2 * scale.log())
    found = KL()(attempt(torch.zeros(3, 7), torch.zeros(3, 7), posterior=Normal(mean, scale)))
    torch.testing.assert_close(found, nats.sum() / 21)
    standard = Normal(torch.zeros(3, 5), torch.ones(3, 5))
    assert KL()(attempt(MADE, MADE, posterior=standard)) == 0


def test_the_likelihood_is_that_of_the_target() -> None:
    target = torch.tensor([[1.0, 0.0, 1.0]])
    found = NLL()(attempt(target, target, likelihood=Bernoulli(torch.tensor([[0.5, 0.25, 0.125]]))))
    assert found.item() == pytest.approx((math.log(2) - math.log(0.75) + math.log(8)) / 3)


def test_codebook_and_commitment_pull_one_side_each() -> None:
    latent, quantized = torch.randn(2, 3, 4, requires_grad=True), torch.randn(2, 3, 4, requires_grad=True)
    given = attempt(MADE, TRUE, latent=latent, quantized=quantized)
    value = (latent - quantized).square().mean().detach()
    book, commitment = Codebook()(given), Commitment()(given)
    torch.testing.assert_close(book.detach(), value)
    torch.testing.assert_close(commitment.detach(), value)
    assert Commitment().weight == 0.25
    assert torch.autograd.grad(book, [latent, quantized], allow_unused=True)[0] is None
    assert torch.autograd.grad(commitment, [latent, quantized], allow_unused=True)[1] is None


def test_styles_and_offsets_are_mean_squares() -> None:
    asked, found = torch.tensor([[[1.0, 2.0]], [[0.0, 0.0]]]), torch.tensor([[[2.0, 2.0]], [[0.0, 3.0]]])
    given = attempt(MADE, TRUE, asked=asked, found=found, offsets=torch.tensor([[[1.0, -2.0], [0.0, 3.0]]]))
    assert Styles()(given).item() == pytest.approx((1 + 9) / 4)
    assert Offsets()(given).item() == pytest.approx((1 + 4 + 9) / 4)


@pytest.mark.parametrize(
    ("criterion", "name"),
    [
        (Styles(), "found"),
        (Offsets(), "offsets"),
        (KL(), "posterior"),
        (NLL(), "likelihood"),
        (Codebook(), "quantized"),
        (Commitment(), "latent"),
    ],
)
def test_what_is_not_handed_out_is_told(criterion: Criterion, name: str) -> None:
    kind = type(criterion).__name__
    with pytest.raises(UserError, match=f"{kind} reads the generator's {name}, which .* it hands out codes: leave"):
        criterion(attempt(MADE, TRUE, codes=torch.zeros(1)))
    with pytest.raises(UserError, match=f"{kind} reads the generator's {name}, which it does not hand out: leave"):
        criterion(attempt(MADE, TRUE))


def test_a_criterion_is_called_as_its_class_unless_it_has_a_name() -> None:
    assert [L1().name, Charbonnier().name, L1(name="far").name] == ["l1", "charbonnier", "far"]
