from __future__ import annotations

from typing import Any

import pytest
import torch

from ganlit.contracts import Reference
from ganlit.metrics.bootstrap import bootstrap
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import ScoreSums, frechet_distance_to, kernel_distances, moments
from ganlit.metrics.manifold import authenticity, nearest, prdc, radii
from ganlit.metrics.measure import Question, floor, improves, measure
from ganlit.metrics.portrait import Collector, Portrait, fixed_choice
from ganlit.metrics.reality import Reality
from ganlit.metrics.sets import SETS

SET = "tiny@0/none/halves-train@abcdef"


@pytest.fixture
def real(tiny: FeatureExtractor, reference: Reference) -> Reality:
    reality = Reality(reference, tiny, lambda text: None)
    reality.prepare()
    return reality


def portrait(tiny: FeatureExtractor, reference: Reference, places: Any, rows: bool = True) -> Portrait:
    places = torch.as_tensor(places)
    collector = Collector(tiny, len(places), rows)
    collector.add(reference.items[places], torch.arange(len(places)), reference.labels[places])
    return collector.finish()


def values(metrics: list[str], fake: Portrait, real: Reality, **asked: Any) -> dict[str, float]:
    return {str(found.protocol): found.value for found in measure(metrics, Question(fake, real, "ema", **asked))}


def test_every_metric_has_its_protocol(tiny: FeatureExtractor, reference: Reference, real: Reality) -> None:
    fake = portrait(tiny, reference, range(40))
    rows, others = fake.rows, real.rows
    manifold = prdc(others, rows, 5)
    score = ScoreSums(2, 40, splits=1)
    score.add(real.probe.probabilities(rows), torch.arange(40))
    within = [frechet_distance_to(rows[fake.labels == c], *moments(others[real.labels == c])) for c in (0, 1)]
    distances = (rows.double()[:, None] - others.double()).norm(dim=2).amin(1)
    expected = {
        f"fid40/{SET}/ema": frechet_distance_to(rows, *moments(others)),
        f"kid40-100x40/{SET}/ema": float(kernel_distances(rows, others, 100, 40).mean()),
        "is40-10splits/tiny@0/none/-/ema": float(fake.scores.mean()),
        f"precision40-k5/{SET}/ema": manifold.precision,
        f"recall40-k5/{SET}/ema": manifold.recall,
        f"density40-k5/{SET}/ema": manifold.density,
        f"coverage40-k5/{SET}/ema": manifold.coverage,
        f"probe-is40/{SET}/ema": float(score.scores()),
        f"share40/{SET}/ema/above": 0.75,
        f"share40/{SET}/ema/below": 0.25,
        f"kept40/{SET}/ema": 100.0,
        f"class-fid40/{SET}/ema/mean of 2": sum(within) / 2,
        f"class-fid40/{SET}/ema/above": within[0],
        f"class-fid40/{SET}/ema/below": within[1],
        f"authenticity40/{SET}/ema": authenticity(*nearest(rows, others), radii(others, 1)),
        f"nearest40/{SET}/ema": float(distances.median()),
        f"nearest-real60/{SET}/real": float(radii(others, 1).median()),
    }
    assert values(list(SETS), fake, real) == pytest.approx(expected)
    assert all(type(value) is float for value in values(list(SETS), fake, real).values())


@pytest.mark.parametrize("metric", SETS)
def test_the_first_number_of_a_metric_is_the_one_that_is_known_to_be_better(
    tiny: FeatureExtractor, reference: Reference, real: Reality, metric: str
) -> None:
    (first, *_) = measure([metric], Question(portrait(tiny, reference, range(40)), real, "ema"))
    assert first.metric == SETS[metric].first
    assert improves(str(first.protocol), 1.0, 2.0) is (SETS[metric].better == "lower")


def test_a_metric_of_sums_needs_no_rows(tiny: FeatureExtractor, reference: Reference, real: Reality) -> None:
    with_rows, without = (portrait(tiny, reference, range(40), rows) for rows in (True, False))
    assert len(without.rows) == 0
    names = [name for name, metric in SETS.items() if not metric.rows]
    assert names == ["fid", "is"]
    assert values(names, without, real) == pytest.approx(values(names, with_rows, real))


def test_copies_are_seen(tiny: FeatureExtractor, reference: Reference, real: Reality) -> None:
    found = values(["memorisation"], portrait(tiny, reference, range(60)), real)
    assert found[f"authenticity60/{SET}/ema"] == found[f"nearest60/{SET}/ema"] == 0
    assert found[f"nearest-real60/{SET}/real"] > 0


def test_copies_are_looked_for_among_what_was_trained_on(
    tiny: FeatureExtractor, reference: Reference, real: Reality
) -> None:
    learnt = reference._replace(name="halves-trained40", digest="123456", items=reference.items[:40])
    trained = Reality(learnt._replace(labels=reference.labels[:40]), tiny, lambda text: None)
    trained.prepare()
    question = Question(portrait(tiny, reference, range(30)), real, "ema")
    found = {str(each.protocol): each.value for each in measure(["fid", "memorisation"], question, trained)}
    names = [name.replace("tiny@0/none/", "") for name in found]
    assert names == [
        "fid30/halves-train@abcdef/ema",
        "authenticity30/halves-trained40@123456/ema",
        "nearest30/halves-trained40@123456/ema",
        "nearest-real40/halves-trained40@123456/real",
    ]
    assert found["nearest30/tiny@0/none/halves-trained40@123456/ema"] == 0


def test_a_collapse_is_seen_by_name(tiny: FeatureExtractor, reference: Reference, real: Reality) -> None:
    found = values(["probe", "class-fid"], portrait(tiny, reference, range(30)), real)
    assert found[f"share30/{SET}/ema/below"] == 0.0
    assert found[f"probe-is30/{SET}/ema"] < 1.1
    assert f"class-fid30/{SET}/ema/below" not in found
    assert found[f"class-fid30/{SET}/ema/mean of 1"] == found[f"class-fid30/{SET}/ema/above"]


def test_the_class_of_an_item_is_kept_or_lost(tiny: FeatureExtractor, reference: Reference, real: Reality) -> None:
    fake = portrait(tiny, reference, range(40))
    wrong = fake.labels.clone()
    wrong[:10] = 1 - wrong[:10]
    (found,) = measure(["kept"], Question(fake._replace(labels=wrong), real, "ema-translation"))
    assert (str(found.protocol), found.value) == (f"kept40/{SET}/ema-translation", 75.0)
    assert found.spread == pytest.approx(100 * (0.75 * 0.25 / 40) ** 0.5)


def test_spreads_say_over_what(tiny: FeatureExtractor, reference: Reference, real: Reality) -> None:
    fake = portrait(tiny, reference, range(10, 50))
    question = Question(fake, real, "ema", replicates=30, seed=1)
    found = {each.metric: each for each in measure(["fid", "kid", "is", "prdc", "memorisation"], question)}
    assert found["fid"].of == "30 bootstraps"
    target = real.moments.mean, real.moments.covariance
    assert found["fid"].spread == bootstrap(lambda drawn: frechet_distance_to(fake.rows[drawn], *target), 40, 30, 1)
    distances = kernel_distances(fake.rows, real.rows, 100, 40)
    assert found["kid"].spread == pytest.approx(float(distances.std(correction=0)))
    assert found["is"].spread == pytest.approx(float(fake.scores.std(correction=0)))
    p = found["precision"].value
    assert found["precision"].spread == pytest.approx((p * (1 - p) / 40) ** 0.5)
    assert measure(["fid"], question) == measure(["fid"], question)
    assert measure(["fid"], question)[0].spread != measure(["fid"], question._replace(seed=2))[0].spread
    assert measure(["fid"], question._replace(replicates=0))[0].spread is None


def test_what_needs_rows_is_named_by_the_kept_ones(
    tiny: FeatureExtractor, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganlit.metrics.portrait.KEPT", 20)
    real = Reality(reference, tiny, lambda text: None)
    real.prepare()
    question = Question(portrait(tiny, reference, range(40)), real, "ema", replicates=9)
    found = {each.metric: each for each in measure(["fid", "kid", "prdc"], question)}
    assert str(found["fid"].protocol) == f"fid40/{SET}/ema"
    assert found["fid"].spread is None  # a half of the images varies more than all of them
    assert str(found["kid"].protocol) == "kid20-100x20/tiny@0/none/halves-train-20@abcdef/ema"
    p = found["precision"].value
    assert found["precision"].protocol.count == 20
    assert found["precision"].spread == pytest.approx((p * (1 - p) / 20) ** 0.5)


def test_the_floor_is_real_against_the_other_real(real: Reality) -> None:
    order = fixed_choice(60, 60)
    (found,) = floor(20, real)
    assert str(found.protocol) == f"floor-fid20/{SET}/real"
    assert found.value == frechet_distance_to(real.rows[order[:20]], *moments(real.rows[order[20:]]))
    assert floor(31, real) == floor(1, real) == []
