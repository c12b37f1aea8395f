from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganlit.contracts import Reference
from ganlit.metrics import portrait as module
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.fidelity import ScoreSums, moments
from ganlit.metrics.portrait import Collector, Portrait, fixed_choice


def taken(extractor: FeatureExtractor, reference: Reference, sizes: list[int], order: torch.Tensor) -> Portrait:
    """The images in batches of these sizes, then the rest, in this order."""
    collector = Collector(extractor, len(order))
    for places in order.split([*sizes, len(order) - sum(sizes)]):
        collector.add(reference.items[places], places, reference.labels[places])
    return collector.finish()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(0, 11), max_size=5), seed=st.integers(0, 99))
def test_it_depends_neither_on_batches_nor_on_their_order(
    tiny: FeatureExtractor, reference: Reference, sizes: list[int], seed: int
) -> None:
    whole = tiny.extract(reference.items)
    portrait = taken(tiny, reference, sizes, torch.randperm(60, generator=torch.Generator().manual_seed(seed)))
    mean, covariance = moments(whole["pool"])
    assert portrait.count == 60
    assert portrait.complete
    torch.testing.assert_close(portrait.moments.mean, mean)
    torch.testing.assert_close(portrait.moments.covariance, covariance)
    torch.testing.assert_close(portrait.rows, whole["pool"])
    assert torch.equal(portrait.labels, reference.labels)
    assert torch.equal(portrait.places, torch.arange(60))
    sums = ScoreSums(6, 60, module.SPLITS)
    sums.add(whole["logits"].double().softmax(1), torch.arange(60))
    torch.testing.assert_close(portrait.scores, sums.scores())


def test_the_extractor_sees_whole_batches_of_its_own(tiny: FeatureExtractor, reference: Reference) -> None:
    taken(tiny, reference, [1] * 59, torch.arange(60))
    assert tiny.seen == [4] * 15


def test_every_image_is_announced(tiny: FeatureExtractor, reference: Reference) -> None:
    announced: list[int] = []
    collector = Collector(tiny, 10, advance=announced.append)
    collector.add(reference.items[:10], torch.arange(10))
    collector.finish()
    assert announced == [4, 4, 2]


def test_of_more_images_than_are_kept_a_fixed_choice_is(
    tiny: FeatureExtractor, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 20)
    portrait = taken(tiny, reference, [7, 30], torch.arange(60))
    chosen = fixed_choice(60, 20).sort().values
    assert torch.equal(portrait.places, chosen)
    assert torch.equal(portrait.rows, tiny.extract(reference.items[chosen])["pool"])
    assert torch.equal(portrait.labels, reference.labels[chosen])
    assert portrait.count == 60
    assert not portrait.complete


def test_sums_alone_keep_no_rows(tiny: FeatureExtractor, reference: Reference) -> None:
    collector = Collector(tiny, 60, rows=False)
    collector.add(reference.items, torch.arange(60))
    portrait = collector.finish()
    assert len(portrait.rows) == 0
    torch.testing.assert_close(portrait.moments.mean, tiny.extract(reference.items)["pool"].double().mean(0))


def test_where_sums_do_not_pay_rows_are_kept(tiny: FeatureExtractor, reference: Reference) -> None:
    collector = Collector(tiny, 6, rows=False)
    collector.add(reference.items[:6], torch.arange(6))
    assert collector.finish().complete


def test_fewer_images_than_splits_have_no_score(tiny: FeatureExtractor, reference: Reference) -> None:
    collector = Collector(tiny, 9)
    collector.add(reference.items[:9], torch.arange(9))
    assert collector.finish().scores is None


def test_without_a_classifier_there_is_no_score(tiny: FeatureExtractor, reference: Reference) -> None:
    tiny.classes = 0
    assert taken(tiny, reference, [], torch.arange(60)).scores is None
