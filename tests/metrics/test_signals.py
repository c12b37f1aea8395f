"""Signals of items and of gradients whose values are known."""

from __future__ import annotations

import math

import pytest
import torch

from ganlit.contracts import Sampled
from ganlit.data.plane.modality import PlaneModality
from ganlit.data.text.modality import TextModality
from ganlit.data.text.vocabulary import Vocabulary
from ganlit.metrics.signals import Watched, apart, cosine, displaced, duplicates, overfit, overlap, reached


def test_overlap_is_that_of_pairs() -> None:
    low, high = torch.arange(4.0), torch.arange(4.0) + 10
    assert overlap(high, low) == 0
    assert overlap(low, high) == 2
    assert overlap(low, low) == 1
    assert overlap(torch.tensor([0.0, 2.0]), torch.tensor([1.0])) == 1
    assert overlap(3 * high - 7, 3 * low - 7) == overlap(high, low)
    assert math.isnan(overlap(low, low[:0]))
    assert math.isnan(overlap(low, low * torch.nan))


def test_overfit_is_one_where_all_learnt_items_are_above_all_others() -> None:
    low, high = torch.arange(4.0), torch.arange(4.0) + 10
    assert (overfit(high, low), overfit(low, low), overfit(low, high)) == (1, 0, -1)


def test_what_is_reached_tells_of_lost_modes_and_of_one_grey_thing() -> None:
    stream = torch.Generator().manual_seed(0)
    means = 10 * torch.eye(8)
    real, made = (means.repeat(32, 1) + 0.1 * torch.randn(256, 8, generator=stream) for _ in range(2))
    assert reached(real, real) == 1
    assert 0.4 < reached(made, real) < 0.7
    assert reached(made[torch.arange(256) % 8 < 2], real) < 0.25
    assert reached(means.mean(0).repeat(256, 1), real) == 1 / 256
    assert math.isnan(reached(made, torch.zeros(20, 8)))


def test_twins_are_found() -> None:
    real = torch.arange(10.0)[:, None]
    assert duplicates(real, real) == 0
    assert duplicates(torch.cat([real[:5], real[:5] + 0.01]), real) == 1
    assert duplicates(torch.cat([real[:8], real[:2]]), real) == pytest.approx(0.4)
    assert math.isnan(duplicates(real, torch.zeros(4, 1)))


def test_the_mean_is_measured_in_spreads() -> None:
    real = torch.tensor([[-2.0], [2.0]])
    assert displaced(real + 1, real) == pytest.approx(0.5)
    assert math.isnan(displaced(real, real * 0))


def test_gradients_and_weights_are_taken_as_wholes() -> None:
    one, other = [torch.tensor([1.0, 0.0]), torch.tensor([[0.0]])], [torch.tensor([1.0, 0.0]), torch.tensor([[1.0]])]
    assert cosine(one, other) == pytest.approx(2**-0.5)
    assert cosine(one, [-each for each in one]) == -1
    assert math.isnan(cosine(one, [0 * each for each in one]))
    assert apart(one, other) == pytest.approx(2**-0.5)


def test_what_is_seen_does_not_depend_on_batches() -> None:
    stream = torch.Generator().manual_seed(0)
    made, real = torch.randn(300, 2, generator=stream), torch.randn(300, 2, generator=stream)
    found = []
    for size in (300, 50):
        watched = Watched(PlaneModality().traits)
        for places in reversed(torch.arange(300).split(size)):
            watched.add(Sampled(real[places], made[places]), places)
        found.append(watched.finish(torch.device("cpu")))
    assert found[0] == found[1]
    assert set(found[0]) == {"variety", "reached", "duplicates", "mean", "energy"}


def test_few_texts_are_told_from_many() -> None:
    letters = torch.randint(2, 28, (400, 12), generator=torch.Generator().manual_seed(0))
    kind = TextModality(Vocabulary.of(["abcdefghijklmnopqrstuvwxyz"], "characters"))
    found = []
    for made in (letters[200:], letters[200:205].repeat(40, 1)):
        watched = Watched(kind.traits)
        watched.add(Sampled(letters[:200], made), torch.arange(200))
        found.append(watched.finish(torch.device("cpu")))
    many, few = found
    assert many["reached"] > 0.3
    assert many["duplicates"] == 0
    assert few["reached"] <= 5 / 200
    assert few["duplicates"] == 1


def test_symbols_and_items_of_two_sizes_are_passed_over() -> None:
    watched = Watched(PlaneModality().traits)
    watched.add(Sampled(torch.zeros(4, 3), torch.zeros(4, 2)), torch.arange(4))
    watched.add(Sampled(torch.zeros(4, 3).long(), torch.zeros(4, 3).long()), torch.arange(4))
    assert watched.finish(torch.device("cpu")) == {}
