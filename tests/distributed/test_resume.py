"""A run of two processes that was stopped in the middle of a tick and resumed is the run that was never stopped."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import torch

from ganlit.compute import slurm
from ganlit.records import state

STOPPED_AT = 180  # images: the step after the signal, in the middle of the second tick of 100
OF_THE_MACHINE = ("time/", "speed/", "memory/")


def checkpoint(place: Path, run: str, name: str = "last") -> dict[str, Any]:
    return torch.load(place / "runs" / run / "checkpoints" / f"{name}.ckpt", weights_only=True)


def rows(place: Path, run: str) -> list[dict[str, str]]:
    """The numbers of a run that do not depend on the machine."""
    with (place / "runs" / run / "metrics.csv").open() as file:
        return [
            {key: value for key, value in row.items() if not key.startswith(OF_THE_MACHINE)}
            for row in csv.DictReader(file)
        ]


def stream(place: Path, run: str, world: int) -> dict[int, list[int]]:
    """By the clock, the shades of a batch in the order of the stream: rank r holds items r, r + world, ..."""
    files = [place / "served" / run / f"served-{rank}" for rank in range(world)]
    shares = [
        {int(clock): list(map(int, shades)) for clock, *shades in map(str.split, file.read_text().splitlines())}
        for file in files
    ]
    return {
        clock: [shade for together in zip(*(share[clock] for share in shares), strict=True) for shade in together]
        for clock in shares[0]
    }


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other


def test_a_signal_in_a_validation_ends_all_ranks_and_leaves_the_checkpoint_from_before_it(
    commands: Any, place: Path
) -> None:
    answer = commands["room"]
    assert answer.codes == [slurm.REQUEUE, 0]
    assert "stopped at 0.1 kimg; go on with --resume" in answer.out[0]
    assert "Traceback" not in "".join(answer.err)
    left = checkpoint(place, "room")
    assert left["images_seen"] == 100
    assert any(state.get("owes_validation") for state in left["callbacks"].values())


def test_a_signal_that_reaches_another_rank_alone_is_known_to_the_first(commands: Any, place: Path) -> None:
    assert commands["other's room"].codes == [slurm.REQUEUE, 0]
    assert state.read(place / "runs" / "other's room").reason == "SIGUSR1"
    assert checkpoint(place, "other's room")["images_seen"] == 80


def test_a_signal_to_the_main_process_stops_all_after_the_step(commands: Any, place: Path) -> None:
    answer = commands["stopped"]
    assert answer.codes == [128 + 15]
    assert "stopped at 0.2 kimg; go on with --resume" in answer.out[0]
    assert "Traceback" not in answer.err[0]
    assert checkpoint(place, "alone", "previous")["images_seen"] > 0
    assert commands["whole"].codes == [*commands["resumed"].codes, 0] == [0, 0]


@pytest.mark.parametrize("key", ["state_dict", "optimizer_states", "images_seen", "skipped", "world_size"])
def test_it_ends_with_the_same_bits(commands: Any, place: Path, key: str) -> None:
    assert commands["resumed"].codes == [0], commands["resumed"].err[0]
    whole, resumed = (checkpoint(place, run) for run in ("whole", "stopped"))
    assert whole["images_seen"] == 300
    assert alike(resumed[key], whole[key])


def test_it_ends_with_the_same_history(commands: Any, place: Path) -> None:
    assert commands["resumed"].codes == [0], commands["resumed"].err[0]
    assert rows(place, "stopped") == rows(place, "whole")
    assert len([row for row in rows(place, "whole") if row["generator/adversarial"]]) == 15
    whole, resumed = (checkpoint(place, run)["callbacks"]["Fidelity"]["history"] for run in ("whole", "stopped"))
    assert resumed == whole
    assert [round(kimg, 3) for kimg, _ in whole] == [0.1, 0.2, 0.3]
    assert "no longer bitwise" not in commands["resumed"].out[0]


def test_it_is_served_each_item_once_and_in_order(commands: Any, place: Path) -> None:
    assert commands["resumed"].codes == [0], commands["resumed"].err[0]
    whole = stream(place, "whole", 2)
    assert stream(place, "stopped", 2) == whole
    assert list(whole) == list(range(0, 300, 20))
    first_pass = [shade for clock in range(0, 100, 20) for shade in whole[clock]]
    assert sorted(first_pass) == [*range(50, 100), *range(150, 200)]


def test_one_process_goes_on_in_the_same_order_and_says_what_is_lost(commands: Any, place: Path) -> None:
    answer = commands["alone"]
    assert answer.codes == [0], answer.err[0]
    assert answer.out[0].count("no longer bitwise") == 1
    assert "Trained by 2 processes, resumed by 1" in answer.out[0]
    alone, whole = stream(place, "alone", 1), stream(place, "whole", 2)
    assert list(alone) == list(range(STOPPED_AT, 300, 20))
    assert all(alone[clock] == whole[clock] for clock in alone)
    assert checkpoint(place, "alone")["images_seen"] == 300
    assert not alike(checkpoint(place, "alone")["state_dict"], checkpoint(place, "whole")["state_dict"])
