from __future__ import annotations

import pytest
import torch

from ganlit.contracts import Reference
from ganlit.errors import UserError
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import frechet_distance_to, inception_score, kernel_distance, moments
from ganlit.metrics.measure import abbreviated, floor, measure
from ganlit.metrics.statistics import Statistics, fixed_choice, reference_statistics


@pytest.fixture
def statistics(tiny: FeatureExtractor, reference: Reference) -> Statistics:
    return reference_statistics(reference, tiny)


def test_every_measure_has_its_protocol(tiny: FeatureExtractor, reference: Reference, statistics: Statistics) -> None:
    features = tiny.extract(reference.images[:40])
    values = measure(features, statistics, reference, tiny)
    pool = features["pool"]
    assert values == pytest.approx(
        {
            "fid40/tiny/none/halves-train": frechet_distance_to(pool, statistics.mean, statistics.covariance),
            "kid40-all-pairs/tiny/none/halves-train": kernel_distance(statistics.features, pool),
            "is40/probe-halves-train/tiny/none": inception_score(statistics.probe.probabilities(pool)),
            "share40/probe-halves-train/tiny/none/above": 0.75,
            "share40/probe-halves-train/tiny/none/below": 0.25,
        }
    )
    assert all(type(value) is float for value in values.values())


def test_a_collapse_is_seen_by_name(tiny: FeatureExtractor, reference: Reference, statistics: Statistics) -> None:
    values = measure(tiny.extract(reference.images[:30]), statistics, reference, tiny)
    assert values["share30/probe-halves-train/tiny/none/below"] == 0.0
    assert values["is30/probe-halves-train/tiny/none"] < 1.1


def test_logits_give_the_score_proper(tiny: FeatureExtractor, reference: Reference, statistics: Statistics) -> None:
    features = tiny.extract(reference.images[:10]) | {"logits": 100 * torch.eye(5).repeat(2, 1)}
    assert measure(features, statistics, reference, tiny)["is10/tiny/none"] == pytest.approx(5)


def test_without_labels_only_the_distances_are_left(tiny: FeatureExtractor, reference: Reference) -> None:
    unlabelled = reference._replace(classes=())
    values = measure(tiny.extract(reference.images), reference_statistics(unlabelled, tiny), unlabelled, tiny)
    assert [name.split("/")[0] for name in values] == ["fid60", "kid60-all-pairs"]


def test_the_kept_part_of_a_huge_set_is_named(
    tiny: FeatureExtractor, reference: Reference, statistics: Statistics
) -> None:
    values = measure(tiny.extract(reference.images), statistics._replace(count=70), reference, tiny)
    assert [name.split("/")[-1] for name in values][:2] == ["halves-train", "halves-train-60"]
    assert "is60/probe-halves-train-60/tiny/none" in values


def test_the_floor_is_real_against_the_other_real(
    tiny: FeatureExtractor, reference: Reference, statistics: Statistics
) -> None:
    order = fixed_choice(60, 60)
    some, others = statistics.features[order[:20]], statistics.features[order[20:]]
    expected = frechet_distance_to(some, *moments(others))
    assert floor(20, statistics, reference, tiny) == {"floor-fid20/tiny/none/halves-train": expected}
    assert floor(31, statistics, reference, tiny) == {}


def test_one_image_has_no_distribution(tiny: FeatureExtractor, reference: Reference, statistics: Statistics) -> None:
    with pytest.raises(UserError, match="val_images"):
        measure(tiny.extract(reference.images[:1]), statistics, reference, tiny)


@pytest.mark.parametrize(("count", "short"), [(250, "250"), (2000, "2k"), (50_000, "50k"), (1500, "1500"), (0, "0")])
def test_thousands_are_abbreviated(count: int, short: str) -> None:
    assert abbreviated(count) == short
