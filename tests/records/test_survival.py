"""Real processes that are killed, interrupted, or run out of disk, and what is left of their runs.

The experiment kills a hundred times at random; these are the same training and the same comparison, once for each way
in which a run can end.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments" / "0002-killed-a-hundred-times"))

from kill import Aim, examine, strike
from victim import (
    CLOSING_TEST,
    CONFIG,
    FIT,
    RUN,
    START_UP,
    TRAINING,
    VALIDATION,
    WRITE,
    Board,
    differences,
    output,
    prepare,
)
from victim import start as start_process

from ganlit.records import durable


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all runs, and one run in it that nothing has disturbed."""
    folder = tmp_path_factory.mktemp("survival")
    prepare(folder)
    undisturbed = start(folder / "undisturbed")
    undisturbed.join()
    assert undisturbed.exitcode == 0, output(folder / "undisturbed", undisturbed)
    return folder


@pytest.fixture
def folder(place: Path, request: pytest.FixtureRequest) -> Path:
    """Of the run of one test."""
    return place / request.node.name


@pytest.fixture
def board(folder: Path) -> Board:
    return Board(folder / "board")


@pytest.fixture
def resumed(place: Path, folder: Path, board: Board) -> Callable[[], str]:
    """Lets the run go on to its end, which must be that of the undisturbed one; tells what it said."""

    def run() -> str:
        board.holds[:] = 0
        process = start(folder)
        process.join()
        said = output(folder, process)
        assert process.exitcode == 0, said
        found = differences(place / "undisturbed" / RUN, folder / RUN)
        # A run that was stopped within a tick draws a picture there, too: here under the name of the tick's end.
        assert [part for part in found if not part.startswith("samples/")] == []
        return said

    return run


def start(folder: Path, config: str = "victim.yaml") -> BaseProcess:
    return start_process(folder, *(f"../{config}" if word.endswith(".yaml") else word for word in FIT), "--kimg=0.2")


def held(folder: Path, board: Board, phase: int, occurrence: int) -> BaseProcess:
    """A run that waits at an occurrence of a phase."""
    board.holds[phase] = occurrence
    process = start(folder)
    while board.entries[phase] < occurrence:
        assert process.is_alive(), output(folder, process)
        time.sleep(0.001)
    return process


def let_go(process: BaseProcess, board: Board) -> None:
    """Waits for the end of a run that was held."""
    board.holds[:] = 0
    process.join()


def kill(process: BaseProcess) -> None:
    process.kill()
    process.join()


def checkpoint(folder: Path, name: str = durable.LAST) -> Path:
    return folder / RUN / "checkpoints" / name


def images_in(path: Path) -> int:
    return torch.load(path, weights_only=True)["images_seen"]


def haunt(folder: Path, board: Board, aims: list[Aim], config: str = "victim.yaml") -> None:
    """Kills a run at one instant after the other, each time on its way from where the last has left it."""
    for aim in aims:
        board.entries[:] = 0
        board.state[1] = board.saved  # images seen: the next process begins with these
        board.holds[CLOSING_TEST] = 1  # a kill that is late falls there, and not after the end
        assert strike(start(folder, config), board, aim), aim
        left = examine(folder, board, run=1)
        assert left.images_kept >= left.saved, aim
        assert left.steps_lost <= 5, aim  # those of a tick
    board.holds[:] = 0


def test_a_run_that_is_killed_in_each_of_its_phases_is_resumed_to_the_same_end(
    folder: Path, board: Board, resumed: Callable[[], str]
) -> None:
    ways = [Aim(START_UP, 1, 0.3), Aim(WRITE, 2, 0.002)]
    ways += [Aim(TRAINING, 3, 0.01), Aim(VALIDATION, 1, 0.01), Aim(CLOSING_TEST, 1, 0.01)]  # from the first tick's end
    haunt(folder, board, ways)
    resumed()


def test_a_run_whose_first_process_is_killed_in_a_step_is_resumed_to_the_same_end(
    folder: Path, board: Board, resumed: Callable[[], str]
) -> None:
    haunt(folder, board, [Aim(TRAINING, 8, 0.01)])  # in the second tick
    resumed()


TRANSLATION = """
fidelity: {metrics: [psnr, fid, codes]}
data:
  class_path: Images
  init_args: {source: ../pictures, channels: 1, resolution: 16, batch: 20, tick: 0.1, val_images: 100,
              test_images: 200}
model:
  class_path: Translation
  init_args:
    generator:
      class_path: VQAutoencoder
      init_args:
        quantizer: {class_path: VectorQuantizer, init_args: {codes: 16, dim: 4, cosine: true, patience: 0.03}}
        resolution: 16
        channels: 1
        width: 4
        multipliers: [1, 2]
        blocks: 1
    discriminator: {class_path: PatchDiscriminator, init_args: {channels: 1, field: 16, norm: batch, width: 4}}
    loss: Hinge
    criteria: [L1, Codebook, Commitment, {class_path: FeatureMatching, init_args: {weight: 0.1}}]
"""

CYCLE = """
fidelity: {metrics: [fid, "fid:back"]}
data:
  class_path: Unpaired
  init_args: {source: ../pictures/dark, target: ../pictures/light, channels: 1, resolution: 16, batch: 20, tick: 0.1,
              val_images: 100, test_images: 100}
model:
  class_path: CycleTranslation
  init_args:
    generator:
      class_path: ThereAndBack
      init_args:
        there: &generator
          class_path: ResNetGenerator
          init_args: {source_channels: 1, channels: 1, blocks: 1, width: 2}
        back: *generator
    discriminator:
      class_path: ThereAndBack
      init_args:
        there: &discriminator
          class_path: PatchDiscriminator
          init_args: {channels: 1, field: 16, norm: batch, width: 4}
        back: *discriminator
    loss: LeastSquares
    cycle: [{class_path: L1, init_args: {weight: 10.0}}]
    identity: [L1]
    pool: 70 # holds 60 when the first tick ends, and changes from then on
"""

LEARNING = """
    adversarial: {class_path: AdaptiveWeight, init_args: {weight: 50.0, start: 0.1, lead: 0.06}}
    generator_optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.003, betas: [0.5, 0.9]}}
    discriminator_optimizer: {class_path: torch.optim.Adam, init_args: {lr: 0.003, betas: [0.5, 0.9]}}
"""

OF_DATA = {"translation": (TRANSLATION, "psnr"), "cycle": (CYCLE, "fid")}
"""Games of generators that take data, and by what a guard watches each."""


@pytest.fixture(scope="module", params=OF_DATA)
def of_data(place: Path, request: pytest.FixtureRequest) -> str:
    """The name of such a game; it has a run that nothing has disturbed, whose guard had something to say."""
    game, measure = OF_DATA[request.param]
    guard = f"callbacks: [{{class_path: Guard, init_args: {{measure: {measure}, tolerance: 0.0, reaction: back}}}}]"
    head = CONFIG.partition("callbacks:")[0] + guard
    (place / f"{request.param}.yaml").write_text(head + game + LEARNING)
    folder = place / request.param
    undisturbed = start(folder, f"{request.param}.yaml")
    undisturbed.join()
    assert undisturbed.exitcode == 0, output(folder, undisturbed)
    assert (folder / RUN / "guard.txt").read_text()
    pools = torch.load(checkpoint(folder), weights_only=True).get("pools", {})
    assert [len(items) for items in pools.values()] == ([70, 70] if request.param == "cycle" else [])
    return request.param


def test_a_run_of_what_takes_data_that_is_killed_in_its_phases_is_resumed_to_the_same_end(
    place: Path, of_data: str, folder: Path, board: Board
) -> None:
    config = f"{of_data}.yaml"
    haunt(folder, board, [Aim(WRITE, 2, 0.002), Aim(TRAINING, 4, 0.005), Aim(VALIDATION, 1, 0.01)], config)
    process = start(folder, config)
    process.join()
    assert process.exitcode == 0, output(folder, process)
    found = differences(place / of_data / RUN, folder / RUN)
    assert [part for part in found if not part.startswith("samples/")] == []


def test_a_kill_ahead_of_the_best_checkpoints_name_is_made_good(folder: Path, board: Board) -> None:
    kill(held(folder, board, WRITE, 3))  # after the tick's two saves
    assert images_in(checkpoint(folder)) == 100
    assert not checkpoint(folder, "best.ckpt").exists()
    board.entries[:] = 0
    board.holds[WRITE] = 0
    kill(held(folder, board, TRAINING, 1))
    assert images_in(checkpoint(folder, "best.ckpt")) == 100


def test_a_damaged_checkpoint_costs_one_tick_and_a_warning(
    folder: Path, board: Board, resumed: Callable[[], str]
) -> None:
    kill(held(folder, board, TRAINING, 7))
    os.truncate(checkpoint(folder), 50_000)
    board.entries[:] = 0
    second = held(folder, board, TRAINING, 3)
    kill(second)
    warning = "last.ckpt is damaged{}: previous.ckpt, of the save before it, is used instead."
    assert warning.format(" or no checkpoint (File is not a zip file)") in output(folder, second)
    content = bytearray(checkpoint(folder).read_bytes())
    content[len(content) // 2] ^= 1
    checkpoint(folder).write_bytes(content)
    assert "fails its checksum): previous.ckpt, of the save before it, is used instead." in resumed()


def test_a_full_disk_ends_a_run_in_one_sentence(folder: Path, board: Board, resumed: Callable[[], str]) -> None:
    process = held(folder, board, TRAINING, 7)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (200_000, hard))
    let_go(process, board)
    assert process.exitcode == 2
    said = output(folder, process)
    last = checkpoint(Path())
    assert f"\nerror: {last} cannot be written (File too large, it needs 0.4 MB and " in said
    assert said.endswith(f" MB are free): {last} of an earlier save is intact; resume when that is mended.\n")
    assert images_in(checkpoint(folder)) == board.saved == 100
    resumed()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_run_after_its_step(
    folder: Path, board: Board, number: signal.Signals, code: int, resumed: Callable[[], str]
) -> None:
    process = held(folder, board, TRAINING, 8)
    os.kill(process.pid, number)
    let_go(process, board)
    assert process.exitcode == code
    assert "go on with --resume" in output(folder, process)
    assert images_in(checkpoint(folder)) == board.saved == board.seen == 160
    resumed()


def test_a_signal_leaves_a_validation_to_the_resumed_run(
    folder: Path, board: Board, resumed: Callable[[], str]
) -> None:
    process = held(folder, board, VALIDATION, 2)
    os.kill(process.pid, signal.SIGINT)
    let_go(process, board)
    assert process.exitcode == 130
    assert images_in(checkpoint(folder)) == board.saved == board.seen
    resumed()


def test_a_second_signal_ends_a_run_at_once(folder: Path, board: Board, resumed: Callable[[], str]) -> None:
    process = held(folder, board, TRAINING, 8)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(process.pid, number)
    process.join()  # although it is held in its step
    assert process.exitcode == 143
    assert "go on with --resume" not in output(folder, process)
    assert images_in(checkpoint(folder)) == 100
    resumed()


def test_a_second_run_in_one_directory_is_refused(folder: Path, board: Board) -> None:
    first = held(folder, board, TRAINING, 1)
    second = start(folder)
    second.join()
    kill(first)
    assert second.exitcode == 2
    refusal = f"error: {RUN} is in use by process {first.pid} on {socket.gethostname()} since 20"
    assert output(folder, second).startswith(refusal)
