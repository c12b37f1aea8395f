from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.distributions import Normal

from ganlit.contracts import Made, Sampled
from ganlit.errors import UserError
from ganlit.metrics.gauges import Shown
from ganlit.metrics.inside import Bounds, Codes
from ganlit.metrics.measure import Measured

HERE = torch.device("cpu")


def showing(values: Tensor, places: Tensor, codes: Tensor | None = None) -> Shown:
    sampled = Sampled(values, values, values, {} if codes is None else {"codes": codes})
    return Shown(values, places, None, "ema-reconstruction", sampled=sampled)


def counted(codes: Tensor, entries: int, levels: int = 1) -> dict[str, float]:
    gauge = Codes(entries, levels, "digits@123456", HERE)
    for places in torch.arange(len(codes)).split(3):
        gauge.add(showing(codes, places, codes[places]))
    found = gauge.finish()
    variant = f"{levels}x{entries}codes" if levels > 1 else f"{entries}codes"
    end = f"{len(codes)}-{variant}/-/-/digits@123456/ema-reconstruction"
    assert [str(each.protocol) for each in found] == [f"code-use{end}", f"code-perplexity{end}"]
    return {each.metric: each.value for each in found}


def test_a_codebook_used_evenly_is_used_whole() -> None:
    codes = torch.arange(8).repeat(5).view(10, 2, 2)
    assert counted(codes, 8) == {"code-use": 1.0, "code-perplexity": pytest.approx(8)}


def test_of_a_dead_codebook_one_entry_is_left() -> None:
    assert counted(torch.full((4, 3), 7), 16) == {"code-use": 1 / 16, "code-perplexity": pytest.approx(1)}


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_perplexity_is_exp_of_the_entropy_and_at_most_the_entries_used(drawn: list[int]) -> None:
    found = counted(torch.tensor(drawn)[:, None], 10)
    shares = [drawn.count(code) / len(drawn) for code in set(drawn)]
    assert found["code-use"] == pytest.approx(len(shares) / 10)
    assert found["code-perplexity"] == pytest.approx(math.exp(-sum(share * math.log(share) for share in shares)))
    assert found["code-perplexity"] <= len(shares) + 1e-9


def test_levels_have_codebooks_of_their_own() -> None:
    drawn = torch.randint(3, (7, 5), generator=torch.Generator().manual_seed(0))
    found = counted(torch.stack([torch.full((7, 5), 2), drawn, torch.arange(35).view(7, 5) % 8], dim=1), 8, levels=3)
    share = drawn.flatten().bincount().double() / 35
    last = torch.tensor([5.0] * 3 + [4.0] * 5).double() / 35
    entropies = [0.0, *(-float((each * each.log()).sum()) for each in (share, last))]
    assert found["code-use"] == pytest.approx((1 + 3 + 8) / 24)
    assert found["code-perplexity"] == pytest.approx(math.exp(sum(entropies) / 3))


def test_a_code_beyond_the_codebook_is_refused() -> None:
    with pytest.raises(UserError, match="hands out the code 8 of 8"):
        counted(torch.tensor([[8]]), 8)


class Linear(nn.Module):
    """z is standard normal, x = z + noise: so log p(x) is known, and so is the posterior, N(x / (1 + s^2), s^2 / ...).

    Args:
        noise: s.
        wrong: what the posterior's mean is away from the true one.
    """

    def __init__(self, noise: float = 0.7, wrong: float = 0.0) -> None:
        super().__init__()
        self.noise, self.wrong = noise, wrong

    def encode(self, source: Tensor, label: Tensor) -> Made:
        mean = source.flatten(1) / (1 + self.noise**2) + self.wrong
        return Made(mean, {"posterior": Normal(mean, self.noise / (1 + self.noise**2) ** 0.5)})

    def decode(self, latent: Tensor, label: Tensor) -> Tensor:
        assert len(latent) == len(label)
        return latent.unflatten(1, (1, 2, 3))

    def likelihood(self, output: Tensor) -> Normal:
        return Normal(output, self.noise)

    def bits(self, values: Tensor) -> float:
        """Of each number, on average."""
        exact = Normal(0.0, (1 + self.noise**2) ** 0.5).log_prob(values.double())
        return float(-exact.mean()) / math.log(2)


def bounded(generator: Linear, values: Tensor, draws: int, order: Sequence[int] = (0, 1, 2)) -> list[Measured]:
    gauge = Bounds(["elbo", "iwae"], generator, draws, "digits@123456", HERE)
    turns = torch.arange(len(values)).split(10)
    for turn in order:
        gauge.add(showing(values[turns[turn]], turns[turn]))
    return gauge.finish()


@pytest.fixture
def values() -> Tensor:
    return torch.randn(30, 1, 2, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("draws", [1, 5])
def test_under_the_true_posterior_both_bounds_are_what_they_bound(values: Tensor, draws: int) -> None:
    generator = Linear()
    elbo, iwae = bounded(generator, values, draws)
    assert str(elbo.protocol) == f"elbo30-k{draws}-normal/-/-/digits@123456/ema-reconstruction"
    assert (iwae.metric, iwae.of) == ("iwae", "30 items")
    assert elbo.value == pytest.approx(generator.bits(values), rel=1e-5)
    assert iwae.value == pytest.approx(generator.bits(values), rel=1e-5)
    assert iwae.spread > 0


def test_under_a_wrong_posterior_more_draws_come_nearer_from_above(values: Tensor) -> None:
    generator = Linear(wrong=0.4)
    (elbo, one), (_, few), (_, many) = (bounded(generator, values, draws) for draws in (1, 8, 200))
    assert one.value == pytest.approx(elbo.value, rel=1e-9)  # equation 8 with one draw is the evidence lower bound
    assert elbo.value > few.value > many.value > generator.bits(values)
    divergence = 0.4**2 / (2 * 0.49 / 1.49) / math.log(2)  # of the posterior from the true one
    exact, spread = generator.bits(values) + divergence, one.spread
    assert elbo.value == pytest.approx(exact, abs=4 * spread)


def test_bounds_are_the_same_in_any_order_and_leave_the_random_stream_alone(values: Tensor) -> None:
    before = torch.get_rng_state()
    one, other = bounded(Linear(wrong=0.4), values, 3), bounded(Linear(wrong=0.4), values, 3, order=(2, 0, 1))
    assert one == other
    assert torch.equal(before, torch.get_rng_state())
