"""Reactions to an alarm and the early end of a trial: two ranks do the same, and what one process would have done."""

from __future__ import annotations

from typing import Any

import pytest
import torch

RUNS = pytest.mark.parametrize("run", ["back", "stop", "first", "second"])
TOLD = ("events", "written", "adjusted", "weight", "rates", "ended")


@RUNS
def test_both_ranks_hold_the_same_and_do_what_one_process_does(found: Any, run: str) -> None:
    first, other = ranks = [rank["reacting"][run] for rank in found[2]]
    alone = found[1][0]["reacting"][run]
    for rank in ranks:
        assert {name: rank[name] for name in TOLD} == {name: alone[name] for name in TOLD}
    assert first["held"].keys() == other["held"].keys()
    assert [name for name in first["held"] if not torch.equal(first["held"][name], other["held"][name])] == []


@RUNS
def test_ranks_share_the_batches_of_one_process_also_where_they_went_back(found: Any, run: str) -> None:
    alone = found[1][0]["reacting"][run]["taken"]
    shares = [rank["reacting"][run]["taken"] for rank in found[2]]
    for (branch, clock, items), *parts in zip(alone, *shares, strict=True):
        assert {part[:2] for part in parts} == {(branch, clock)}
        assert sorted(item for part in parts for item in part[2]) == sorted(items)


def test_a_run_goes_back_as_often_as_it_may_and_keeps_what_was_changed(found: Any) -> None:
    for back in (rank["reacting"]["back"] for rank in found[2]):
        clocks = [(branch, clock) for branch, clock, _ in back["taken"]]
        assert clocks == [(0, 24 * step) for step in range(1, 11)] + [(1, 24 * step) for step in range(3, 21)]
        assert [event.split(";")[-4:] for event in back["events"] if ";" in event] == [
            [
                " the learning rate of the discriminator 0.001 -> 0.0005",
                " the weight of R1 1 -> 4",
                " the augmentation's p 0 -> 0.2",
                " the run goes back to its best checkpoint, time 1 of 1",
            ],
            [
                " the learning rate of the discriminator 0.0005 -> 0.00025",
                " the weight of R1 4 -> 8",
                " the augmentation's p 0.2 -> 0.4",
                " the run has gone back 1 times, and goes on",
            ],
        ]
        assert [event for event in back["events"] if ";" not in event] == [
            "back at 0.0 kimg",
            "divergence is over at 0.3 kimg",
        ]
        assert (back["weight"], back["rates"]) == (8, [0.00025, 0.001])
        assert float(back["held"]["augment.p"]) == pytest.approx(0.4)


def test_a_run_that_is_stopped_and_a_trial_that_has_lost_end_on_both_ranks(found: Any) -> None:
    for rank in found[2]:
        kimg, why, outcome = rank["reacting"]["stop"]["ended"]
        assert (kimg, outcome) == (0.24, "done")
        assert why.startswith("divergence at 0.2 kimg: FID-200 is 20, and was 4 at 0.0 kimg")
        assert rank["reacting"]["first"]["ended"] == (0.192, None, "done")
        kimg, why, outcome = rank["reacting"]["second"]["ended"]
        assert (kimg, outcome) == (0.096, "stopped early")
        assert "the bracket of 2 validations kept" in why
