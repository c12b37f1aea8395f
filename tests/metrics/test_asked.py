from __future__ import annotations

import pytest
import torch

from ganlit.contracts import Reference
from ganlit.data.images.modality import ImageModality
from ganlit.errors import UserError
from ganlit.metrics.asked import lacking, require, require_real, unavailable
from ganlit.metrics.features import FeatureExtractor
from ganlit.metrics.groups import Group, Real
from ganlit.metrics.measure import Question, measure
from ganlit.metrics.passes import Pass
from ganlit.metrics.portrait import Collector
from ganlit.metrics.reality import Reality
from ganlit.metrics.sets import SETS


def cut(reference: Reference, count: int) -> Reference:
    """The first items, of one class, then all of both."""
    return reference._replace(items=reference.items[:count], labels=reference.labels[:count])


def real_enough(metrics: list[str], reference: Reference) -> None:
    require_real([Group("sets", metrics)], {"target": Real(reference, ImageModality())})


NEEDS = {"fid": (2, 2), "kid": (2, 2), "is": (10, 0), "prdc": (6, 6), "probe": (1, 5), "kept": (1, 5)}
NEEDS |= {"memorisation": (1, 2)}
"""Generated items, and real ones."""


@pytest.mark.parametrize(("metric", "generated", "real"), [(name, *needs) for name, needs in NEEDS.items()])
def test_as_few_items_as_a_metric_asks_for_are_enough(
    tiny: FeatureExtractor, reference: Reference, metric: str, generated: int, real: int
) -> None:
    few = cut(reference, max(real, 1))
    require([metric], generated, "--count is too small")
    real_enough([metric], few)
    reality = Reality(few, tiny, lambda text: None)
    reality.prepare()
    collector = Collector(tiny, generated)
    collector.add(reference.items[-generated:], torch.arange(generated))
    found = measure([metric], Question(collector.finish(), reality, "ema"))
    assert found
    assert all(each.value == each.value for each in found)  # none is nan


@pytest.mark.parametrize(("metric", "generated", "real"), [(name, *needs) for name, needs in NEEDS.items()])
def test_fewer_are_refused(reference: Reference, metric: str, generated: int, real: int) -> None:
    with pytest.raises(UserError, match=rf'^--count is few, and "{metric}" needs {generated}: take more, or do not'):
        require([metric], generated - 1, "--count is few")
    if real:
        items = f"{real - 1} real item{'s' * (real != 2)}"
        with pytest.raises(UserError, match=rf'^halves-train has {items}, and "{metric}" needs {real}: add some, or'):
            real_enough([metric], cut(reference, real - 1))


def test_some_class_must_have_two_items(reference: Reference) -> None:
    require(["class-fid", "fid"], 3, "--count is 3", classes=2)
    with pytest.raises(UserError, match='--count is 2, and "class-fid" needs 3'):
        require(["fid", "class-fid"], 2, "--count is 2", classes=2)
    one_each = reference._replace(items=reference.items[29:31], labels=reference.labels[29:31])
    real_enough(["fid"], one_each)
    with pytest.raises(UserError, match='has 1 real item in the largest of its classes, and "class-fid" needs 2'):
        real_enough(["class-fid"], one_each)
    real_enough(["class-fid", "probe"], cut(reference, 1)._replace(classes=()))  # which cannot be had, and is told so


def test_what_cannot_be_had_says_why(tiny: FeatureExtractor, reference: Reference) -> None:
    names = list(SETS)
    assert unavailable(names, Reality(reference, tiny), conditional=True) == {}
    assert set(unavailable(names, Reality(reference, tiny), conditional=False)) == {"class-fid", "kept"}
    tiny.classes = 0
    for classes, what in ((), "no classes"), (("above",), "one class alone"):
        real = Reality(reference._replace(classes=classes, labels=torch.zeros(60, dtype=torch.int64)), tiny)
        assert unavailable(names, real, conditional=True) == {
            "is": "the weights of tiny have no classifier head",
            "probe": f"halves-train has {what}",
            "kept": f"halves-train has {what}",
            "class-fid": f"halves-train has {what}",
        }


def test_every_reason_is_told_and_all_of_them_are_too_many(tiny: FeatureExtractor, reference: Reference) -> None:
    tiny.classes, said = 0, list[str]()
    real = Reality(reference, tiny)
    both, alone = (Pass(Group("sets", metrics), real) for metrics in (["is", "fid"], ["is"]))
    prior = Pass(Group("sets", ["is"], making="prior"), real)
    missing = lacking([both, alone, prior], True, "--metrics", said.append)
    assert [list(each) for each in missing] == [["is"], ["is"], ["is"]]
    assert said == [
        "not measured: is, for the weights of tiny have no classifier head",
        "not measured: is:prior, for the weights of tiny have no classifier head",
    ]
    assert lacking([alone], True, "--metrics", said.append, beside=True) == missing[1:2]
    with pytest.raises(UserError, match="--metrics leaves nothing to measure: not is, for the weights of tiny have no"):
        lacking([alone], True, "--metrics", said.append)
