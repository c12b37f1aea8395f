"""Penalties by finite differences against the exact ones."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from ganlit.contracts import Verdict
from ganlit.errors import UserError
from ganlit.losses.regularizers.base import Regularizer
from ganlit.losses.regularizers.differences import Differences, FiniteR1, FiniteR2
from ganlit.losses.regularizers.gradient import R1, R2
from ganlit.networks.packed import Packed

BOTH = [(FiniteR1, R1), (FiniteR2, R2)]


def critic(width: int = 6) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(width, 16), nn.Tanh(), nn.Linear(16, 1), nn.Flatten(0)).double()


class Unlabelled(nn.Sequential):
    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        return super().forward(item)


def items(count: int, seed: int, width: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, width, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize(("near", "exact"), BOTH)
def test_along_the_noise_it_tends_to_the_squared_derivative(near: type[Differences], exact: type[Regularizer]) -> None:
    judge, seen = critic(), items(7, 1)
    (gradient,) = torch.autograd.grad(judge(seen).sum(), seen)
    torch.manual_seed(5)
    along = (gradient * torch.randn_like(seen)).sum(1)
    errors = []
    for sigma in (1e-1, 1e-2, 1e-3, 1e-4):
        torch.manual_seed(5)
        found = near(1.0, sigma=sigma)(Verdict(judge, seen, seen))
        errors.append(abs(found.item() / (along.square().mean().item() / 2) - 1))
    assert errors[3] < 1e-3
    assert all(one > 3 * two for one, two in pairwise(errors))  # of the first order


@pytest.mark.parametrize(("near", "exact"), BOTH)
def test_the_mean_over_noise_is_the_exact_penalty_and_so_is_its_gradient(
    near: type[Differences], exact: type[Regularizer]
) -> None:
    judge, seen = critic(), items(4, 1)
    many = seen.detach().repeat(20_000, 1).requires_grad_()
    values, gradients = [], []
    for penalty, batch in ((exact(2.0), seen), (near(2.0, sigma=1e-3), many)):
        term = penalty.term(Verdict(judge, batch, batch))
        values.append(term.item())
        gradients.append(torch.autograd.grad(term, judge[0].weight)[0])
    assert values[1] == pytest.approx(values[0], rel=0.02)
    assert (gradients[0] - gradients[1]).norm() < 0.03 * gradients[0].norm()


def test_patches_of_an_item_count_together_and_networks_by_themselves() -> None:
    real, weight = items(5, 1), torch.randn(6, 3, dtype=torch.float64)
    for near in (FiniteR1, FiniteR2):
        torch.manual_seed(1)
        patches = near(1.0)(Verdict(lambda x: x @ weight, real, real))
        torch.manual_seed(1)
        single = near(1.0)(Verdict(lambda x: (x @ weight).sum(1), real, real))
        torch.manual_seed(1)
        two = near(1.0)(Verdict(lambda x: [x @ weight, 2 * (x @ weight)], real, real))
        assert patches.item() == pytest.approx(single.item(), rel=1e-9)
        assert two.item() == pytest.approx(single.item() * (1 + 4) / 2, rel=1e-9)


def test_of_packs_it_tends_to_the_exact_one_too() -> None:
    inside = critic(12)
    judge = Packed(Unlabelled(inside), 2)
    seen, label = items(4, 1), torch.zeros(4, dtype=torch.int64)
    exact = R1(1.0)(Verdict(lambda x: judge(x, label), seen, seen)).item()
    packs = seen.detach().view(2, 12).requires_grad_()
    assert exact == pytest.approx(R1(1.0)(Verdict(inside, packs, packs)).item())
    many = seen.detach().repeat(20_000, 1)
    labels = torch.zeros(len(many), dtype=torch.int64)
    near = FiniteR1(1.0, sigma=1e-3)(Verdict(lambda x: judge(x, labels), many, many)).item()
    assert near == pytest.approx(exact, rel=0.03)


def test_what_is_random_in_the_critic_is_the_same_for_both_passes_and_is_drawn_on_from_there() -> None:
    real = items(50, 1)

    def passes(x: Tensor) -> Tensor:
        return 1000 * dropout(torch.ones_like(x)).sum(1) + x.sum(1)

    torch.manual_seed(3)
    first = FiniteR1(1.0)(Verdict(passes, real, real)).item()
    assert first < 30  # half the squared sum of six normal numbers; else thousands over sigma squared
    known = Verdict(passes, real, real)
    before = known.real_logits  # as another regularizer would ask for them: what was drawn is not known
    assert FiniteR1(1.0)(known).item() < 30
    assert torch.equal(known.real_logits, before)
    torch.manual_seed(3)
    noise = torch.randn_like(real)
    passes(real)
    expected = torch.rand(3)
    torch.manual_seed(3)
    FiniteR1(1.0)(Verdict(passes, real, real))
    assert torch.equal(torch.rand(3), expected)
    assert noise.shape == real.shape


def test_the_loss_shares_the_pass_over_the_items() -> None:
    seen = []
    judge = critic()
    verdict = Verdict(lambda x: seen.append(x) or judge(x), items(3, 1), items(3, 2))
    FiniteR1(1.0).term(verdict)
    FiniteR2(1.0).term(verdict)
    assert verdict.real_logits.shape == verdict.fake_logits.shape == (3,)
    assert len(seen) == 4


def test_items_need_no_gradient_and_the_critic_gets_one() -> None:
    judge = critic()
    real, fake = items(3, 1).detach(), items(3, 2).detach()
    FiniteR1(1.0).term(Verdict(judge, real, fake)).backward()
    assert judge[0].weight.grad.abs().sum() > 0
    assert not real.requires_grad
    assert (FiniteR1.differentiates, R1.differentiates) == (False, True)


def test_noise_of_no_width_is_refused() -> None:
    with pytest.raises(UserError, match=r"FiniteR2\.sigma is 0: it must be above 0"):
        FiniteR2(1.0, sigma=0)


def test_a_kink_is_seen_that_a_gradient_does_not_see() -> None:
    """Of a relu that begins at t, half the squared slope is P(x > t) / 2: moving t changes it, at no x by itself."""
    start = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    generator = torch.Generator().manual_seed(0)
    x = (2 * torch.rand(400_000, 1, generator=generator, dtype=torch.float64) - 1).requires_grad_()
    found = []
    for penalty in (R1(1.0), FiniteR1(1.0, sigma=0.05)):
        torch.manual_seed(1)
        term = penalty(Verdict(lambda x: (x - start).relu()[:, 0], x, x))
        assert term.item() == pytest.approx(0.25, abs=0.01)
        found.append(torch.autograd.grad(term, start)[0].item() if term.requires_grad else 0.0)
    assert found[0] == 0
    assert found[1] == pytest.approx(-0.25, abs=0.03)
