"""Numbers of modes against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from ganlit.errors import UserError
from ganlit.metrics import modes


def test_modes_are_counted_that_have_an_item() -> None:
    found = modes.counts(torch.tensor([0, 0, 3, -1, -1, 3, 5]), 7)
    assert found.tolist() == [2, 0, 0, 2, 0, 1, 0]
    assert modes.reached(found).value == 3
    assert modes.reached(modes.counts(torch.tensor([-1]), 7)).value == 0


def test_a_share_has_the_deviation_of_its_bootstrap() -> None:
    told = modes.share(torch.tensor([0, 1, -1, -1]))
    assert (told.value, told.spread) == (50, 25)


def test_the_reverse_divergence_of_what_is_even_over_some_is_the_logarithm_of_their_part() -> None:
    made = torch.tensor([10, 10, 0, 0, 0, 0, 0, 0])
    assert modes.reverse_divergence(made, torch.ones(8)).value == pytest.approx(math.log(4))
    assert modes.reverse_divergence(torch.ones(8), torch.ones(8)).value == pytest.approx(0)


def test_it_is_that_of_what_is_made_to_what_is_real() -> None:
    made, real = torch.tensor([3, 1]), torch.tensor([1, 1])
    expected = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    assert modes.reverse_divergence(made, real).value == pytest.approx(expected)
    assert modes.reverse_divergence(real, made).value != pytest.approx(expected, abs=1e-3)


def test_what_is_of_no_mode_is_as_far_as_can_be_and_a_gap_among_real_ones_is_not() -> None:
    assert modes.reverse_divergence(torch.zeros(3), torch.ones(3)).value == math.inf
    gap = modes.reverse_divergence(torch.tensor([1, 1]), torch.tensor([99, 0])).value
    assert gap == pytest.approx(0.5 * math.log(0.5 / (99 / 99.5)) + 0.5 * math.log(0.5 / (0.5 / 99.5)))


def test_there_are_no_options() -> None:
    modes.read("modes", "")
    with pytest.raises(UserError, match=r"modes-2: modes is asked for by its name alone"):
        modes.read("modes", "-2")
