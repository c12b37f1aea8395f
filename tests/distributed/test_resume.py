"""A run of two processes that was stopped in the middle of a tick and resumed is the run that was never stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from remains import checkpoint, numbers_of, same, stream

from ganlit.compute import slurm
from ganlit.records import state

STOPPED_AT = 180  # images: the step after the signal, in the middle of the second tick of 100


def test_a_signal_in_a_validation_ends_all_ranks_and_leaves_the_checkpoint_from_before_it(
    commands: Any, place: Path
) -> None:
    answer = commands["room"]
    assert answer.codes == [slurm.REQUEUE, 0]
    assert "stopped at 0.1 kimg; go on with --resume" in answer.out[0]
    assert "Traceback" not in "".join(answer.err)
    left = checkpoint(place / "runs/room")
    assert left["images_seen"] == 100
    assert any(state.get("owes_validation") for state in left["callbacks"].values())


def test_a_signal_that_reaches_another_rank_alone_is_known_to_the_first(commands: Any, place: Path) -> None:
    assert commands["other's room"].codes == [slurm.REQUEUE, 0]
    assert state.read(place / "runs/other's room").reason == "SIGUSR1"
    assert checkpoint(place / "runs/other's room")["images_seen"] == 80


def test_a_signal_to_the_main_process_stops_all_after_the_step(commands: Any, place: Path) -> None:
    answer = commands["stopped"]
    assert answer.codes == [128 + 15]
    assert "stopped at 0.2 kimg; go on with --resume" in answer.out[0]
    assert "Traceback" not in answer.err[0]
    assert checkpoint(place / "runs/alone", "previous")["images_seen"] > 0
    assert commands["whole"].codes == [*commands["resumed"].codes, 0] == [0, 0]


@pytest.mark.parametrize("key", ["state_dict", "optimizer_states", "images_seen", "skipped", "world_size"])
def test_it_ends_with_the_same_bits(commands: Any, place: Path, key: str) -> None:
    assert commands["resumed"].codes == [0], commands["resumed"].err[0]
    whole, resumed = (checkpoint(place / "runs" / run) for run in ("whole", "stopped"))
    assert whole["images_seen"] == 300
    assert same(resumed[key], whole[key])


def test_it_ends_with_the_same_history(commands: Any, place: Path) -> None:
    assert commands["resumed"].codes == [0], commands["resumed"].err[0]
    assert numbers_of(place / "runs/stopped") == numbers_of(place / "runs/whole")
    assert len([row for row in numbers_of(place / "runs/whole") if row["generator/adversarial"]]) == 15
    whole, resumed = (
        checkpoint(place / "runs" / run)["callbacks"]["Fidelity"]["history"] for run in ("whole", "stopped")
    )
    assert resumed == whole
    assert [round(kimg, 3) for kimg, _ in whole] == [0.1, 0.2, 0.3]
    assert "no longer bitwise" not in commands["resumed"].out[0]


def test_it_is_served_each_item_once_and_in_order(commands: Any, place: Path) -> None:
    assert commands["resumed"].codes == [0], commands["resumed"].err[0]
    whole = stream(place / "served/whole", 2)
    assert stream(place / "served/stopped", 2) == whole
    assert list(whole) == list(range(0, 300, 20))
    first_pass = [shade for clock in range(0, 100, 20) for shade in whole[clock]]
    assert sorted(first_pass) == [*range(50, 100), *range(150, 200)]


def test_one_process_goes_on_in_the_same_order_and_says_what_is_lost(commands: Any, place: Path) -> None:
    answer = commands["alone"]
    assert answer.codes == [0], answer.err[0]
    assert answer.out[0].count("no longer bitwise") == 1
    assert "Trained by 2 processes, resumed by 1" in answer.out[0]
    alone, whole = stream(place / "served/alone", 1), stream(place / "served/whole", 2)
    assert list(alone) == list(range(STOPPED_AT, 300, 20))
    assert all(alone[clock] == whole[clock] for clock in alone)
    assert checkpoint(place / "runs/alone")["images_seen"] == 300
    assert not same(checkpoint(place / "runs/alone")["state_dict"], checkpoint(place / "runs/whole")["state_dict"])
