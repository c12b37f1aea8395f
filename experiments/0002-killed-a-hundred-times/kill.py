"""Is a run that was killed the same run? Kills trainings by SIGKILL at random, resumes them, compares the ends.

    python experiments/0002-killed-a-hundred-times/kill.py --kills 100

A small training (victim.py) runs once undisturbed. Then it runs again, is killed, resumed, killed, resumed, until it
ends; and again from its start, until all kills are spent. Each kill aims at a phase and at a random instant in it.
"""

from __future__ import annotations

import csv
import random
import shutil
import tempfile
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import torch
from jsonargparse import auto_cli
from victim import BATCH, PHASES, RUN, Board, Group, differences, output, prepare, start

from ganlit.records import durable
from ganlit.records.runs import trained

OFTEN = (1, 2, 3, 4, 1)  # how often a kill aims at each of the phases
LATEST = (1, 12, 3, 5, 1)  # and at which of its occurrences in one process, at the latest

EQUAL = "equal"  # how a run ends: like the undisturbed one, or what differs


class Kill(NamedTuple):
    """One row of the results."""

    run: int
    phase: str  # in which it fell
    images_seen: int  # by the killed process
    saved: int  # images seen at the last save that it had finished
    checkpoint: str  # the file to go on from, if there is one yet
    images_kept: int
    steps_lost: int
    half_written: int  # files


class Aim(NamedTuple):
    """An instant in the life of a process."""

    phase: int
    occurrence: int
    delay: float  # seconds from its beginning


def aim(chance: random.Random, durations: list[float]) -> Aim:
    phase = chance.choices(range(len(PHASES)), OFTEN)[0]
    return Aim(phase, chance.randint(1, LATEST[phase]), chance.uniform(0, durations[phase]))


def strike(process: BaseProcess | Group, board: Board, target: Aim) -> bool:
    """Waits for the instant and kills; False where the process had ended before it came."""
    while board.entries[target.phase] < target.occurrence and process.is_alive():
        time.sleep(0.0002)
    time.sleep(target.delay)
    process.kill()
    process.join()
    return process.exitcode == -9


def examine(folder: Path, board: Board, run: int) -> Kill:
    """What a killed process has left."""
    name, kept = "", 0
    if trained(folder / RUN):
        path = durable.newest(folder / RUN / "checkpoints").path
        name, kept = path.name, torch.load(path, weights_only=True)["images_seen"]
    partials = len(list((folder / RUN).rglob(f"*{durable.PARTIAL}")))
    lost = (max(board.seen, kept) - kept) // BATCH
    return Kill(run, PHASES[board.phase], board.seen, board.saved, name, kept, lost, partials)


def haunted(
    place: Path, run: int, budget: int, chance: random.Random, durations: list[float], processes: int
) -> tuple[list[Kill], str]:
    """A run that is killed up to `budget` times on its way to the end; and how it ended."""
    folder = place / f"run{run}"
    board = Board(folder / "board")
    kills: list[Kill] = []
    while True:
        board.entries[:] = 0
        board.state[1] = board.saved
        process = start(folder, processes=processes)
        if len(kills) < budget and strike(process, board, aim(chance, durations)):
            kills.append(examine(folder, board, run))
            continue
        process.join()
        end = ", ".join(differences(place / "undisturbed" / RUN, folder / RUN)) or EQUAL
        if process.exitcode != 0:
            end = f"exit code {process.exitcode}: {output(folder, process)[-300:]}"
        if end == EQUAL:
            shutil.rmtree(folder)
        return kills, end


def report(kills: list[Kill], ends: dict[int, str], seconds: float) -> None:
    phases = Counter(kill.phase for kill in kills)
    print(f"{len(kills)} kills in {len(ends)} runs, {seconds:.0f} s")
    for phase in PHASES:
        print(f"  {phases[phase]:3} in {phase}")
    print(f"{sum(kill.half_written > 0 for kill in kills)} left half-written files")
    print(f"{sum(kill.checkpoint == durable.PREVIOUS for kill in kills)} resumed from {durable.PREVIOUS}")
    print(f"{sum(kill.images_kept < kill.saved for kill in kills)} lost a checkpoint")
    print(f"{max(kill.steps_lost for kill in kills)} steps lost at most")
    print(f"{sum(end != EQUAL for end in ends.values())} runs ended otherwise than the undisturbed one")
    for run, end in ends.items():
        if end != EQUAL:
            print(f"  run {run}: {end}")


def main(
    kills: int = 100, seed: int = 0, processes: int = 1, out: Path | None = None, place: Path | None = None
) -> None:
    """Kills, resumes, compares and tells.

    Args:
        kills: how many.
        seed: of the instants.
        processes: ranks of each training, all killed at the same instant.
        out: CSV file with a row for each kill.
        place: folder for the runs; those that end otherwise are kept there. By default a temporary one, removed.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        place = (place or Path(temporary)).absolute()
        prepare(place)
        undisturbed = start(place / "undisturbed", processes=processes)
        undisturbed.join()
        if undisturbed.exitcode != 0:
            raise SystemExit(output(place / "undisturbed", undisturbed))
        board = Board(place / "undisturbed" / "board")
        durations = [spent / max(times, 1) for spent, times in zip(board.seconds, board.entries, strict=True)]
        print("seconds:", ", ".join(f"{name} {spent:.4f}" for name, spent in zip(PHASES, durations, strict=True)))
        chance = random.Random(seed)
        done: list[Kill] = []
        ends: dict[int, str] = {}
        while len(done) < kills:
            run = len(ends) + 1
            more, ends[run] = haunted(place, run, kills - len(done), chance, durations, processes)
            done += more
            print(f"{len(done)} kills, run {run}: {ends[run]}", flush=True)
    if out is not None:
        with out.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*Kill._fields, "end"])
            writer.writerows([*kill, ends[kill.run]] for kill in done)
    report(done, ends, time.monotonic() - began)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
