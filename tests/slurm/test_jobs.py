"""What SLURM does to jobs, and what becomes of runs: whatever befell one, it ends as the one that was let alone."""

from __future__ import annotations

import re
from concurrent.futures import Future
from typing import Any

import pytest
from remains import checkpoint, numbers_of, same, stream

from ganlit.records import state

from .desk import Desk

TROUBLED = {"preempted": ("swept", "0001-seeds/0001", 1), "unlucky": ("whole", "whole", 2)}
"""By run: the story of the same training that was let alone, its run, and the ranks of both."""

Jobs = dict[str, Future[Any]]


def rows(desk: Desk, run: str) -> list[dict[str, str]]:
    """The numbers of a run that do not depend on the machine, where there are any."""
    numbers = [{name: value for name, value in row.items() if value} for row in numbers_of(desk.folder / "runs" / run)]
    return [row for row in numbers if row.keys() != {"kimg"}]


def trouble(jobs: Jobs, run: str) -> tuple[str, int]:
    """The run that was let alone, and the ranks of both, when both have ended."""
    story, alone, world = TROUBLED[run]
    whole = jobs[story].result()
    job = whole.trials[1] if story == "swept" else whole
    assert job.state == jobs[run].result().state == "COMPLETED"
    return alone, world


def in_order(text: str, *lines: str) -> bool:
    places = [text.find(line) for line in lines]
    return -1 not in places and places == sorted(places)


@pytest.mark.parametrize(("run", "world"), [("whole", 2), ("four", 4)])
def test_ranks_of_one_and_of_two_nodes_train_together(jobs: Jobs, desk: Desk, run: str, world: int) -> None:
    job = jobs[run].result()
    assert (job.state, job.code, job.restarts) == ("COMPLETED", "0:0", 0), job.printed
    left = checkpoint(desk.folder / "runs" / run)
    assert (left["world_size"], left["images_seen"]) == (world, 300)
    jobs["whole"].result()
    assert stream(desk.notes / run, world) == stream(desk.notes / "whole", 2)
    assert "nothing to resume" in job.printed


@pytest.mark.parametrize("run", TROUBLED)
def test_a_run_that_was_stopped_three_times_comes_back_each_time_and_ends(jobs: Jobs, desk: Desk, run: str) -> None:
    job = jobs[run].result()
    assert (job.state, job.code, job.restarts) == ("COMPLETED", "0:0", 3), job.printed
    told, (*_, world) = state.read(desk.folder / "runs" / run), TROUBLED[run]
    assert told is not None
    assert (told.phase, told.kimg, told.starts, told.processes, told.job) == ("done", 0.3, 4, world, job.number)
    assert "Traceback" not in job.printed


@pytest.mark.parametrize("run", TROUBLED)
@pytest.mark.parametrize("key", ["state_dict", "optimizer_states", "images_seen", "skipped", "world_size"])
def test_it_ends_with_the_bits_of_the_run_that_was_let_alone(jobs: Jobs, desk: Desk, run: str, key: str) -> None:
    alone, _ = trouble(jobs, run)
    assert same(checkpoint(desk.folder / "runs" / run)[key], checkpoint(desk.folder / "runs" / alone)[key])


@pytest.mark.parametrize("run", TROUBLED)
def test_it_ends_with_the_same_history(jobs: Jobs, desk: Desk, run: str) -> None:
    alone, world = trouble(jobs, run)
    assert rows(desk, run) == rows(desk, alone)
    assert len([row for row in rows(desk, alone) if "generator/adversarial" in row]) == 15
    assert stream(desk.notes / run, world) == stream(desk.notes / alone, world)


def test_a_container_without_the_commands_of_slurm_leaves_it_to_the_script(jobs: Jobs) -> None:
    printed = jobs["preempted"].result().printed
    assert in_order(
        printed,
        "nothing to resume in runs/preempted: starting",
        "SIGUSR1: stopping after this step",
        "cannot queue itself again",
        "exit code 75",
        "resuming runs/preempted/checkpoints/last.ckpt",
    )


def test_a_job_at_its_time_limit_queues_itself_again(jobs: Jobs) -> None:
    """And the script does not. What comes after that SLURM may cut off: it kills, where a machine is slow to end."""
    _, second, *_ = jobs["preempted"].result().printed.split("resuming runs/preempted/")
    assert in_order(second, "SIGUSR1: stopping after this step", "stopped at 0.2 kimg")
    assert "exit code 75" not in second
    assert "DUE TO TIME LIMIT" not in second


def test_it_goes_on_in_the_same_run_of_wandb(jobs: Jobs, desk: Desk) -> None:
    jobs["preempted"].result()
    folders = [path.name for path in (desk.folder / "runs/preempted/wandb").glob("offline-run-*")]
    assert len(folders) == 4
    assert len({name.rpartition("-")[2] for name in folders}) == 1


def test_the_failure_of_a_node_queues_a_job_again(jobs: Jobs) -> None:
    job = jobs["unlucky"].result()
    assert "DUE TO NODE FAILURE" in job.printed
    assert job.restarts == 3


def test_an_array_is_split_where_the_site_bounds_it(jobs: Jobs, desk: Desk) -> None:
    assert "trials 1-2" in jobs["swept"].result().submitted
    assert [(array["offset"], array["elements"]) for array in desk.arrays("0001-seeds")[:2]] == [(0, [1, 2]), (2, [1])]


def test_an_error_fails_a_trial_and_harms_no_other(jobs: Jobs) -> None:
    trials = jobs["swept"].result().trials
    assert {number: job.state for number, job in trials.items()} == {1: "COMPLETED", 2: "COMPLETED", 3: "FAILED"}
    assert (trials[3].code, trials[3].restarts) == ("1:0", 0)
    assert "ArithmeticError: cannot count" in trials[3].printed


def test_an_element_of_an_array_queues_only_itself_again(jobs: Jobs) -> None:
    assert {number: job.restarts for number, job in jobs["swept"].result().trials.items()} == {1: 0, 2: 1, 3: 0}


def test_a_failed_trial_is_shown_and_retried_once(jobs: Jobs, desk: Desk) -> None:
    sweep = jobs["swept"].result()
    before, _, after = sweep.afterwards.partition("status 0\n")
    assert re.findall(r"^(\d+) +\d+ +(\w+)", before, re.MULTILINE) == [
        ("0001", "done"),
        ("0002", "done"),
        ("0003", "failed"),
    ]
    assert "cannot count" in before
    assert in_order(after, "trials 3", "retry --failed 0", "there is nothing to retry")
    assert (sweep.again.state, sweep.again.code) == ("COMPLETED", "0:0"), sweep.again.printed
    folders = [desk.folder / "runs/0001-seeds" / f"{number:04d}" for number in range(1, 4)]
    assert [state.read(folder).phase for folder in folders] == ["done"] * 3
