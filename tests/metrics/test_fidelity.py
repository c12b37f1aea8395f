from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torchmetrics.image import FrechetInceptionDistance, InceptionScore, KernelInceptionDistance

from ganlit.metrics import fidelity
from ganlit.metrics.fidelity import (
    Moments,
    frechet_distance,
    frechet_distance_to,
    inception_score,
    kernel_distance,
    kernel_mean,
    moments,
)


class Given(nn.Module):
    """The features are given: they take the images' place in torchmetrics' classes."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.num_features = dim

    def forward(self, features: Tensor) -> Tensor:
        return features


def drawn(count: int, dim: int, seed: int, shift: float = 0.0) -> Tensor:
    """Correlated, skewed features, positive as an Inception's are."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(dim, dim, generator=torch.Generator().manual_seed(99), dtype=torch.float64)
    noise = torch.randn(count, dim, generator=generator, dtype=torch.float64)
    return (noise @ mixing / dim**0.5 + shift).abs()


def by_torchmetrics(real: Tensor, fake: Tensor) -> float:
    metric = FrechetInceptionDistance(feature=Given(real.shape[1]))
    metric.update(real, real=True)
    metric.update(fake, real=False)
    return float(metric.compute())


def by_torch_fidelity(real: Tensor, fake: Tensor) -> float:
    statistics = [fid_features_to_statistics(features) for features in (real, fake)]
    return fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.floats(-3, 3), st.floats(0.0, 4), st.floats(-3, 3), st.floats(0.0, 4)]), min_size=1))
def test_independent_gaussians_differ_by_means_and_deviations(axes: list[tuple[float, float, float, float]]) -> None:
    mean1, deviation1, mean2, deviation2 = torch.tensor(axes, dtype=torch.float64).T
    expected = ((mean1 - mean2).square() + (deviation1 - deviation2).square()).sum()
    got = frechet_distance(mean1, deviation1.square().diag(), mean2, deviation2.square().diag())
    assert got == pytest.approx(float(expected), rel=1e-6, abs=1e-5)


def test_gaussians_whose_covariances_do_not_commute() -> None:
    mean = torch.zeros(2, dtype=torch.float64)
    covariance1 = torch.tensor([[2.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
    covariance2 = torch.tensor([[4.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    # For two by two the trace of a root is sqrt(trace + 2 sqrt(determinant)): of the product, 10 and 12.
    expected = 4 + 5 - 2 * math.sqrt(10 + 2 * math.sqrt(12))
    assert frechet_distance(mean, covariance1, mean, covariance2) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("count", [300, 33, 32, 20, 3])
def test_the_distance_of_features_equals_the_references(count: int) -> None:
    real, fake = drawn(400, 32, seed=0), drawn(count, 32, seed=1, shift=0.3)
    got = frechet_distance_to(fake, *moments(real))
    assert got == pytest.approx(by_torchmetrics(real, fake), rel=1e-4)
    assert got == pytest.approx(by_torch_fidelity(real, fake), rel=1e-4)
    assert got == pytest.approx(frechet_distance(*moments(real), *moments(fake)), rel=1e-6)


def test_both_sides_may_be_smaller_than_the_dimension() -> None:
    real, fake = drawn(25, 32, seed=0), drawn(20, 32, seed=1, shift=0.3)
    assert frechet_distance_to(fake, *moments(real)) == pytest.approx(by_torch_fidelity(real, fake), rel=1e-4)


def test_singular_covariances_above_the_dimension() -> None:
    real, fake = drawn(200, 16, seed=0), drawn(100, 16, seed=1, shift=0.3)
    real[:, 8:], fake[:, 8:] = real[:, :8], 2 * fake[:, :8]
    assert frechet_distance_to(fake, *moments(real)) == pytest.approx(by_torch_fidelity(real, fake), rel=1e-4)


@pytest.mark.parametrize("count", [200, 20])
def test_a_set_is_at_no_distance_from_itself(count: int) -> None:
    features = drawn(count, 32, seed=0)
    assert frechet_distance_to(features, *moments(features)) == pytest.approx(0, abs=1e-6)


def test_moments_add_up() -> None:
    features = drawn(101, 7, seed=4).float()
    sums = Moments(7)
    for piece in features.split(10):
        sums.add(piece)
    mean, covariance = moments(features)
    assert sums.count == 101
    torch.testing.assert_close(sums.mean, mean, rtol=1e-12, atol=0)
    torch.testing.assert_close(sums.covariance, covariance, rtol=1e-10, atol=1e-14)


def test_the_kernel_distance_equals_the_references_on_all_pairs() -> None:
    real, fake = drawn(80, 32, seed=0), drawn(80, 32, seed=1, shift=0.3)
    metric = KernelInceptionDistance(feature=Given(32), subsets=1, subset_size=80)
    metric.update(real, real=True)
    metric.update(fake, real=False)
    got = kernel_distance(real, fake)
    assert got == pytest.approx(float(metric.compute()[0]), rel=1e-4)
    keywords = {"kid_subsets": 1, "kid_subset_size": 80, "verbose": False, "rng_seed": 0}
    assert got == pytest.approx(kid_features_to_metric(real, fake, **keywords)["kernel_inception_distance_mean"], 1e-4)


def test_subsets_average_to_the_kernel_distance_of_all_pairs() -> None:
    real, fake = drawn(60, 8, seed=0), drawn(40, 8, seed=1, shift=0.3)
    metric = KernelInceptionDistance(feature=Given(8), subsets=3000, subset_size=10)
    metric.update(real, real=True)
    metric.update(fake, real=False)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        mean, deviation = metric.compute()
    assert abs(kernel_distance(real, fake) - float(mean)) < 4 * float(deviation) / 3000**0.5


def test_the_kernel_distance_by_hand_for_sets_of_unlike_size() -> None:
    real, fake = torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [2.0], [3.0]])
    within_real, within_fake = 1.0, (3**3 + 4**3 + 7**3) / 3
    between = (3 * 1 + 2**3 + 3**3 + 4**3) / 6
    expected = within_real + within_fake - 2 * between
    assert kernel_distance(real, fake) == pytest.approx(expected)
    assert kernel_distance(real, fake, within1=kernel_mean(real)) == pytest.approx(expected)


def test_two_halves_of_one_distribution_are_at_no_kernel_distance_on_average() -> None:
    distances = torch.tensor(
        [kernel_distance(drawn(30, 6, seed), drawn(20, 6, seed + 1000)) for seed in range(200)], dtype=torch.float64
    )
    assert abs(float(distances.mean())) < 4 * float(distances.std()) / 200**0.5


def test_the_kernel_in_blocks_is_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = drawn(50, 8, seed=0), drawn(31, 8, seed=1)
    whole = kernel_distance(real, fake)
    monkeypatch.setattr(fidelity, "ROWS", 7)
    assert kernel_distance(real, fake) == pytest.approx(whole, rel=1e-10)


@pytest.mark.parametrize("splits", [1, 3])
def test_the_score_goes_from_one_to_the_number_of_classes(splits: int) -> None:
    assert inception_score(torch.full((12, 4), 0.25), splits) == pytest.approx(1)
    assert inception_score(torch.eye(4).repeat(3, 1), splits) == pytest.approx(4)
    assert inception_score(torch.eye(4)[:1].repeat(12, 1), splits) == pytest.approx(1)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 9), st.integers(1, 60), st.integers(0, 2**31))
def test_the_score_equals_that_of_torchmetrics(classes: int, count: int, seed: int) -> None:
    logits = 3 * torch.randn(count, classes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    metric = InceptionScore(feature=Given(classes), splits=1)
    metric.update(logits)
    assert inception_score(logits.softmax(1)) == pytest.approx(float(metric.compute()[0]), rel=1e-4)


def test_the_score_in_splits_equals_that_of_torch_fidelity() -> None:
    logits = 3 * torch.randn(100, 7, generator=torch.Generator().manual_seed(0))
    expected = isc_features_to_metric(logits, splits=10, shuffle=False)["inception_score_mean"]
    assert inception_score(logits.double().softmax(1), splits=10) == pytest.approx(expected, rel=1e-4)
