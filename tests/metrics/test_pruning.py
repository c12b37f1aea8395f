from __future__ import annotations

import math
from typing import Any

import pytest

from ganlit.errors import UserError
from ganlit.metrics.pruning import EarlyTerminate, Ruling

NAN = math.nan


def made(**options: Any) -> EarlyTerminate:
    return EarlyTerminate("fid2k", **options)


def test_brackets_are_those_of_wandbs_documentation() -> None:
    assert made(min_iter=3).brackets(100) == [3, 9, 27, 81]
    assert made(min_iter=3).brackets(26) == [3, 9]
    assert made(max_iter=27, s=2).brackets(100) == [3, 9]
    assert made(max_iter=5, s=9, eta=2).brackets(100) == [1, 2]
    assert made(min_iter=1, eta=1.5).brackets(5) == [1, 2, 3, 5]
    assert made(min_iter=3).brackets(2) == []


def test_a_bracket_keeps_the_best_of_those_that_reached_it() -> None:
    rule = made(min_iter=2, eta=2)
    runs = [[10.0, 9.0], [10.0, 10.0], [10.0, 8.0, 8.0], [10.0, 7.0, 1.0], [1.0]]  # the last has not come so far

    def rest(own: int) -> list[list[float]]:
        return [run for place, run in enumerate(runs) if place != own]

    found = [rule.rule(runs[own], rest(own), 2) for own in range(4)]
    assert found == [None, Ruling(10.0, 9.0, "the bracket of 2 validations kept", 4), None, None]
    assert rule.rule([99.0, 99.0], [], 2) is None  # the first to come
    upwards = made(min_iter=2, eta=2, goal="maximize")
    assert upwards.rule([1.0, 2.0], [[3.0, 1.0], [4.0, 4.0]], 2) == Ruling(
        2.0, 3.0, "the bracket of 2 validations kept", 3
    )


def test_what_is_not_finite_is_the_worst_and_counts_as_a_validation() -> None:
    rule = made(min_iter=1, eta=3)
    assert rule.rule([NAN], [[5.0], [6.0]], 1).value == math.inf
    assert rule.rule([5.0], [[NAN], [-math.inf]], 1) is None
    assert rule.rule([NAN], [[NAN]], 1) is None  # of equals nobody is worse


def test_a_bracket_is_judged_once_unless_it_is_strict() -> None:
    assert [made(min_iter=2).judges(count, 0) for count in (1, 2, 5, 6)] == [None, 2, 2, 6]
    assert made(min_iter=2).judges(3, 2) is None
    assert [made(min_iter=2, strict=True).judges(3, judged) for judged in (0, 2, 3)] == [2, 2, None]


def test_the_median_is_of_the_averages_of_the_others() -> None:
    rule = made(type="median", min_iter=2, n_startup_trials=2)
    assert [rule.judges(count, judged) for count, judged in ((1, 0), (2, 1), (2, 2))] == [None, 2, None]
    others = [[4.0, 2.0, 0.0], [8.0, 4.0]]  # 3 and 6 on average
    assert rule.rule([9.0, 4.6], others, 2) == Ruling(4.6, 4.5, "the median after 2 validations is", 2)
    assert rule.rule([4.4, 9.0], others, 2) is None
    assert rule.rule([99.0, 99.0], others[:1], 2) is None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "either min_iter, or max_iter and s"),
        ({"min_iter": 1, "max_iter": 9, "s": 1}, "either min_iter, or max_iter and s"),
        ({"max_iter": 9}, "s is the number of brackets"),
        ({"min_iter": 1, "s": 2}, "s is the number of brackets"),
        ({"max_iter": 2, "s": 1}, "max_iter is 2, .* raise it above eta"),
        ({"min_iter": 0}, "early_terminate.min_iter is 0"),
        ({"min_iter": 1, "eta": 1}, "early_terminate.eta is 1"),
        ({"type": "median", "n_startup_trials": 0}, "n_startup_trials is 0"),
    ],
)
def test_what_means_nothing_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        made(**options)
