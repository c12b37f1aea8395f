from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torchmetrics.image import FrechetInceptionDistance, InceptionScore, KernelInceptionDistance

from ganlit.errors import UserError
from ganlit.metrics import blocks
from ganlit.metrics.fidelity import (
    Moments,
    ScoreSums,
    frechet_distance,
    frechet_distance_to,
    kernel_distances,
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


def summed(features: Tensor, shares: int = 1) -> Moments:
    """Moments of uneven shares, whose sums are summed."""
    whole = Moments(features.shape[1])
    for share in features.tensor_split([len(features) // (2 * shares) * index for index in range(1, shares)]):
        part = Moments(features.shape[1])
        for piece in share.split(100):
            part.add(piece)
        whole.count += part.count
        whole.total += part.total
        whole.products += part.products
    return whole


def distance_of(sums1: Moments, sums2: Moments) -> float:
    return frechet_distance(sums1.mean, sums1.covariance, sums2.mean, sums2.covariance)


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


@pytest.mark.parametrize("dim", [32, 256])
@pytest.mark.parametrize("count", [600, 257, 256, 33, 32, 20, 3, 2])
def test_the_distance_of_features_equals_the_references(count: int, dim: int) -> None:
    real, fake = drawn(800, dim, seed=0), drawn(count, dim, seed=1, shift=0.3)
    got = frechet_distance_to(fake, *moments(real))
    assert got == pytest.approx(by_torchmetrics(real, fake), rel=1e-4)
    assert got == pytest.approx(by_torch_fidelity(real, fake), rel=1e-4)
    assert got == pytest.approx(distance_of(summed(fake), summed(real)), rel=1e-6)
    assert got == pytest.approx(distance_of(summed(real), summed(fake)), rel=1e-6)


@pytest.mark.parametrize("count", [500, 2100])
def test_the_distance_of_features_as_long_as_the_inceptions_equals_the_reference(count: int) -> None:
    real, fake = drawn(2500, 2048, seed=0), drawn(count, 2048, seed=1, shift=0.1)
    expected = pytest.approx(by_torch_fidelity(real, fake), rel=1e-4)
    assert frechet_distance_to(fake, *moments(real)) == expected
    assert distance_of(summed(fake), summed(real)) == expected


def test_both_sides_may_be_smaller_than_the_dimension() -> None:
    real, fake = drawn(25, 32, seed=0), drawn(20, 32, seed=1, shift=0.3)
    expected = pytest.approx(by_torch_fidelity(real, fake), rel=1e-4)
    assert frechet_distance_to(fake, *moments(real)) == expected
    assert distance_of(summed(fake), summed(real)) == expected


def duplicated(features: Tensor) -> Tensor:
    return features[:, : features.shape[1] // 2].repeat(1, 2)


def partly_constant(features: Tensor) -> Tensor:
    return features.index_fill(1, torch.arange(0, features.shape[1], 3), 1.5)


def decaying(features: Tensor) -> Tensor:
    return features * torch.logspace(0, -8, features.shape[1], dtype=torch.float64)


def of_rank_one(features: Tensor) -> Tensor:
    return features[:, :1] * torch.linspace(0.1, 1, features.shape[1], dtype=torch.float64)


@pytest.mark.parametrize("spoiled", [duplicated, partly_constant, decaying, of_rank_one])
def test_singular_covariances_above_the_dimension(spoiled: Callable[[Tensor], Tensor]) -> None:
    real, fake = spoiled(drawn(300, 64, seed=0)), spoiled(drawn(200, 64, seed=1, shift=0.8))
    expected = pytest.approx(by_torch_fidelity(real, fake), rel=1e-4)
    assert frechet_distance_to(fake, *moments(real)) == expected
    assert distance_of(summed(fake), summed(real)) == expected


def test_gaussians_on_one_line_differ_by_mean_and_deviation() -> None:
    direction = torch.linspace(-1, 1, 64, dtype=torch.float64)
    real, fake = drawn(300, 1, seed=0), drawn(200, 1, seed=1, shift=0.01)
    along = (real.mean() - fake.mean()).square() + (real.std() - fake.std()).square()
    expected = pytest.approx(float(along * direction.square().sum()), rel=1e-4)
    assert frechet_distance_to(fake * direction, *moments(real * direction)) == expected
    assert distance_of(summed(fake * direction), summed(real * direction)) == expected


def test_one_picture_again_and_again_is_at_the_distance_of_the_means_and_the_variance() -> None:
    real, same, other = drawn(300, 16, seed=0), torch.full((20, 16), 0.5), torch.full((20, 16), 0.75)
    mean, covariance = moments(real)
    expected = float((mean - 0.5).square().sum() + covariance.trace())
    assert frechet_distance_to(same, mean, covariance) == pytest.approx(expected, rel=1e-9)
    assert distance_of(summed(real), summed(same)) == pytest.approx(expected, rel=1e-9)
    assert distance_of(summed(other), summed(same)) == pytest.approx(16 * 0.25**2, rel=1e-9)


@pytest.mark.parametrize("count", [200, 20, 2])
def test_a_set_is_at_no_distance_from_itself(count: int) -> None:
    features = drawn(count, 32, seed=0)
    assert 0 <= frechet_distance_to(features, *moments(features)) < 1e-6
    assert 0 <= distance_of(summed(features), summed(features.flip(0))) < 1e-6


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 20), st.integers(2, 20), st.integers(1, 12), st.floats(0, 1e-3), st.integers(0, 2**31))
def test_a_distance_is_never_negative_and_the_same_both_ways(
    count1: int, count2: int, dim: int, shift: float, seed: int
) -> None:
    features = drawn(max(count1, count2), dim, seed)
    sums1, sums2 = summed(features[:count1] + shift), summed(features[:count2])
    there, back = distance_of(sums1, sums2), distance_of(sums2, sums1)
    assert there >= 0
    assert there == pytest.approx(back, rel=1e-4, abs=1e-5)


def test_features_that_are_no_numbers_do_not_become_a_distance_of_zero() -> None:
    mean, covariance = moments(drawn(50, 4, seed=0))
    assert math.isnan(frechet_distance(mean * math.nan, covariance, mean, covariance))


@pytest.mark.parametrize("shares", [1, 2, 3])
@pytest.mark.parametrize("count", [301, 40])
def test_moments_of_shares_add_up(count: int, shares: int) -> None:
    features, other = drawn(count, 64, seed=4).float(), summed(drawn(500, 64, seed=5, shift=0.1))
    sums, (mean, covariance) = summed(features, shares), moments(features)
    assert sums.count == count
    torch.testing.assert_close(sums.mean, mean, rtol=1e-12, atol=0)
    torch.testing.assert_close(sums.covariance, covariance, rtol=1e-9, atol=1e-13)
    assert distance_of(sums, other) == pytest.approx(distance_of(summed(features), other), rel=1e-6)


def test_moments_are_exact_where_the_mean_is_ten_thousand_deviations() -> None:
    features, other = drawn(2000, 32, seed=4), drawn(1000, 32, seed=5, shift=0.3)
    far, scale = 1e4 * features.std(), float(features.var())
    sums = summed(features + far)
    torch.testing.assert_close(sums.covariance, moments(features)[1], rtol=0, atol=1e-6 * scale)
    expected = frechet_distance(*moments(features), *moments(other))
    assert distance_of(sums, summed(other + far)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("count1", "count2"), [(80, 120), (900, 700)], ids=["all pairs", "subset by subset"])
def test_kernel_distances_equal_those_of_torch_fidelity(count1: int, count2: int) -> None:
    fake, real = drawn(count1, 32, seed=1, shift=0.3), drawn(count2, 32, seed=0)
    assert_kernel_distances_of_torch_fidelity(fake, real, subsets=20, size=50, seed=2020)


def test_kernel_distances_of_features_as_long_as_the_inceptions_equal_those_of_torch_fidelity() -> None:
    fake, real = drawn(300, 2048, seed=1, shift=0.05), drawn(400, 2048, seed=0)
    assert_kernel_distances_of_torch_fidelity(fake, real, subsets=10, size=200, seed=2020)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 30), st.integers(0, 40), st.integers(0, 40), st.integers(1, 30), st.integers(0, 2**31))
def test_kernel_distances_of_any_sizes_equal_those_of_torch_fidelity(
    size: int, more1: int, more2: int, subsets: int, seed: int
) -> None:
    fake, real = drawn(size + more1, 8, seed=1, shift=0.3), drawn(size + more2, 8, seed=0)
    assert_kernel_distances_of_torch_fidelity(fake, real, subsets, size, seed)


def assert_kernel_distances_of_torch_fidelity(fake: Tensor, real: Tensor, subsets: int, size: int, seed: int) -> None:
    got = kernel_distances(fake, real, subsets, size, seed)
    keywords = {"kid_subsets": subsets, "kid_subset_size": size, "verbose": False, "rng_seed": seed}
    expected = kid_features_to_metric(fake, real, **keywords)
    assert got.shape == (subsets,)
    assert float(got.mean()) == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-6, abs=1e-11)
    assert float(got.std(correction=0)) == pytest.approx(expected["kernel_inception_distance_std"], rel=1e-6, abs=1e-11)


def test_the_kernel_distance_of_all_images_equals_that_of_torchmetrics() -> None:
    real, fake = drawn(80, 32, seed=0), drawn(80, 32, seed=1, shift=0.3)
    metric = KernelInceptionDistance(feature=Given(32), subsets=1, subset_size=80)
    metric.update(real, real=True)
    metric.update(fake, real=False)
    assert float(kernel_distances(fake, real, subsets=1, size=80)) == pytest.approx(
        float(metric.compute()[0]), rel=1e-4
    )


def test_the_kernel_distance_by_hand() -> None:
    real, fake = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[1.0], [2.0], [3.0]])
    within_real, within_fake = (1 + 1 + 3**3) / 3, (3**3 + 4**3 + 7**3) / 3
    between = (3 * 1 + 2**3 + 3**3 + 4**3 + 3**3 + 5**3 + 7**3) / 9
    expected = within_real + within_fake - 2 * between
    assert kernel_distances(fake, real, subsets=2, size=3).tolist() == pytest.approx([expected, expected])


def test_two_samples_of_one_distribution_are_at_no_kernel_distance_on_average() -> None:
    distances = torch.cat([kernel_distances(drawn(20, 6, n), drawn(20, 6, n + 1000), 1, 20) for n in range(200)])
    assert abs(float(distances.mean())) < 4 * float(distances.std()) / 200**0.5


@pytest.mark.parametrize("size", [30, 5], ids=["all pairs", "subset by subset"])
def test_the_kernel_in_blocks_is_the_kernel(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = drawn(50, 8, seed=0), drawn(31, 8, seed=1)
    whole = kernel_distances(fake, real, 9, size)
    monkeypatch.setattr(blocks, "SIDE", 7)
    torch.testing.assert_close(kernel_distances(fake, real, 9, size), whole, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("count1", "count2"), [(9, 12), (12, 9)])
def test_subsets_larger_than_a_side_are_refused(count1: int, count2: int) -> None:
    with pytest.raises(UserError, match=rf"subsets of 10 .* {count1} generated and {count2} real: .* 9 at most\.$"):
        kernel_distances(drawn(count1, 4, seed=0), drawn(count2, 4, seed=1), size=10)


def score_sums(probabilities: Tensor, splits: int, seed: int = 2020) -> ScoreSums:
    sums = ScoreSums(probabilities.shape[1], len(probabilities), splits, seed)
    sums.add(probabilities, torch.arange(len(probabilities)))
    return sums


@pytest.mark.parametrize("splits", [1, 3])
def test_the_score_goes_from_one_to_the_number_of_classes(splits: int) -> None:
    for score in score_sums(torch.full((12, 4), 0.25), splits).scores():
        assert float(score) == pytest.approx(1)
    assert float(score_sums(torch.eye(4)[:1].repeat(12, 1), splits).scores().mean()) == pytest.approx(1)
    assert float(score_sums(torch.eye(4).repeat(3, 1), 1).scores()) == pytest.approx(4)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_scores_equal_those_of_torch_fidelity_in_whatever_order_images_come(data: st.DataObject) -> None:
    splits, classes = data.draw(st.integers(1, 12)), data.draw(st.integers(2, 9))
    count, seed = data.draw(st.integers(splits, 80)), data.draw(st.integers(0, 2**31))
    logits = 3 * torch.randn(count, classes, generator=torch.Generator().manual_seed(seed))
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    sums = ScoreSums(classes, count, splits, seed)
    for indices in order.split(data.draw(st.integers(1, count))):
        sums.add(logits[indices].double().softmax(1), indices)
    expected = isc_features_to_metric(logits, splits, shuffle=True, rng_seed=seed)
    assert float(sums.scores().mean()) == pytest.approx(expected["inception_score_mean"], rel=1e-9)
    assert float(sums.scores().std(correction=0)) == pytest.approx(expected["inception_score_std"], rel=1e-6, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 9), st.integers(1, 60), st.integers(0, 2**31))
def test_the_score_in_one_split_equals_that_of_torchmetrics(classes: int, count: int, seed: int) -> None:
    logits = 3 * torch.randn(count, classes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    metric = InceptionScore(feature=Given(classes), splits=1)
    metric.update(logits)
    assert float(score_sums(logits.softmax(1), 1).scores()) == pytest.approx(float(metric.compute()[0]), rel=1e-4)


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_scores_of_shares_add_up(ranks: int) -> None:
    probabilities = (3 * torch.randn(101, 7, generator=torch.Generator().manual_seed(0))).double().softmax(1)
    whole = ScoreSums(7, 101)
    for rank in range(ranks):
        part, share = ScoreSums(7, 101), torch.arange(rank, 101, ranks)
        part.add(probabilities[share], share)
        whole.counts += part.counts
        whole.total += part.total
        whole.entropies += part.entropies
    torch.testing.assert_close(whole.scores(), score_sums(probabilities, 10).scores(), rtol=1e-12, atol=0)


def test_a_class_of_no_probability_adds_nothing() -> None:
    some = (3 * torch.randn(30, 3, generator=torch.Generator().manual_seed(0))).double().softmax(1)
    never = torch.cat([some, torch.zeros(30, 2)], 1)
    torch.testing.assert_close(score_sums(never, 3).scores(), score_sums(some, 3).scores())


def test_fewer_images_than_splits_are_refused() -> None:
    with pytest.raises(UserError, match=r"in 10 splits has too few samples, 9: measure 10 at least\.$"):
        ScoreSums(4, 9)
