"""Who is better at equal variety, of arms of which it is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganlit.studies.tradeoff.verdict import Arm, Axis, verdict, verdicts

BLEU, OWN, LOSS = Axis("bleu3", "higher"), Axis("selfbleu3", "lower"), Axis("oracle-nll", "lower")
TEMPERATURES = [0.6, 0.8, 1.0]
VARIETY = np.array([0.9, 0.8, 0.7])


def arm(name: str, *qualities: list[float], variety: np.ndarray = VARIETY) -> Arm:
    return Arm(name, TEMPERATURES, np.array(qualities), np.tile(variety, (len(qualities), 1)))


def test_who_is_better_by_all_seeds_has_won_there_alone() -> None:
    one = arm("one", [0.9, 0.8, 0.5], [0.92, 0.82, 0.5])
    other = arm("other", [0.8, 0.7, 0.7], [0.8, 0.7, 0.7])
    said = verdict(one, other, BLEU, OWN)
    assert said.startswith(
        "At equal selfbleu3, from 0.7 to 0.9, bleu3 is better by all seeds with one from 0.768 to 0.9,"
    )
    assert "and with other from 0.7 to 0.762, by" in said
    assert "in 2% of that range their seeds overlap" in said
    assert verdict(one, other, LOSS, OWN).find("with one from 0.7 to 0.76") > 0


def test_seeds_that_overlap_decide_nothing() -> None:
    said = verdict(arm("one", [0.9, 0.8, 0.7], [0.7, 0.6, 0.5]), arm("other", [0.8, 0.7, 0.6]), BLEU, OWN)
    assert said == (
        "At equal selfbleu3, from 0.7 to 0.9, neither one nor other has the better bleu3: "
        "their seeds overlap all along."
    )
    apart = verdict(arm("one", [0.9, 0.8, 0.7], [0.7, 0.6, 0.5]), arm("other", [0.9, 0.9, 0.9]), BLEU, OWN)
    assert "2 seeds against 1 seed, so nobody knows what chance does" in apart


def test_without_equal_variety_nobody_wins() -> None:
    far = arm("far", [1.0, 1.0, 1.0], variety=VARIETY - 0.5)
    assert verdict(arm("near", [0.1, 0.1, 0.1]), far, BLEU, OWN) == (
        "No temperature makes selfbleu3 equal, with all seeds near from 0.7 to 0.9 and far from 0.2 to 0.4: "
        "nobody has won."
    )


@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_two_are_compared(count: int) -> None:
    assert (
        len(verdicts([arm(f"{place}", [0.5, 0.4, 0.3]) for place in range(count)], BLEU, OWN))
        == count * (count - 1) / 2
    )


@given(st.lists(st.floats(0.1, 0.9), min_size=3, max_size=3), st.floats(0.01, 0.5), st.permutations(range(3)))
def test_a_line_that_is_above_is_better_everywhere_whatever_the_order(
    quality: list[float], gap: float, order: list[int]
) -> None:
    below = Arm("below", TEMPERATURES, np.array([quality]), VARIETY[None])
    above = Arm("above", TEMPERATURES, np.array([quality])[:, order] + gap, VARIETY[None][:, order])
    assert "above everywhere" in verdict(below, above, BLEU, OWN)
    assert "below everywhere" in verdict(below, above, LOSS, OWN)
