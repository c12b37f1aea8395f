"""SLURM's commands are played by small programs on the PATH; tests/slurm asks the real ones."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from squares import Answer

from ganlit.errors import UserError
from ganlit.records import state
from ganlit.studies.sweeps import commands

Made = Callable[..., Path]


@pytest.fixture
def site(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of SLURM's commands: what sbatch is given is in `said`, and `queue` is what squeue prints."""
    scripts = {
        "sbatch": f'echo "$*" >> {tmp_path}/said; echo $((10 + $(wc -l < {tmp_path}/said)))',
        "squeue": f"cat {tmp_path}/queue",
        "scontrol": "echo MaxArraySize = 4",
    }
    for name, script in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{script}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "queue").touch()
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path


def said(site: Path) -> list[str]:
    return (site / "said").read_text().splitlines() if (site / "said").exists() else []


@pytest.fixture(scope="module")
def mixed(sweep_of: Made, place: Path) -> Path:
    """A sweep whose first trial is good, whose second diverges and whose third has no data."""
    Path("good.yaml").write_text("seed: 1\n")
    Path("diverging.yaml").write_text("model: {init_args: {generator_optimizer: {init_args: {lr: 1.0e+30}}}}\n")
    Path("failing.yaml").write_text("data: {init_args: {source: nowhere}}\n")
    configs = {"config": {"values": ["good.yaml", "diverging.yaml", "failing.yaml"]}}
    return sweep_of("0001-mixed", configs, metric={"name": "skipped/generator", "goal": "minimize"})


def test_trials_run_here_and_each_ends_on_its_own(mixed: Path, ganlit: Callable[..., Answer]) -> None:
    ended = ganlit("sweep", "run", str(mixed), "--parallel", "3")
    assert ended.code == 2
    assert "0001  config=good.yaml  done in" in ended.out
    assert "0002  config=diverging.yaml  diverged after" in ended.out
    assert "0003  config=failing.yaml  failed after" in ended.out
    assert "nowhere" in ended.out
    assert "2 of 3 trials have not ended well" in ended.err
    assert f"sweep retry {mixed} --trials 2,3" in ended.err
    assert "done in" in Path("runs/0001-mixed/0001.log").read_text()

    table = ganlit("sweep", "status", str(mixed)).out.splitlines()
    assert [line.split()[:3] for line in table[1:4]] == [
        ["0001", "good.yaml", "done"],
        ["0002", "diverging.yaml", "diverged"],
        ["0003", "failing.yaml", "failed"],
    ]
    assert table[-1] == "3 in all: 1 done, 1 failed, 1 diverged"

    os.symlink("squares", "nowhere")
    ended = ganlit("sweep", "run", str(mixed))
    assert "left as they are: 1 done, 1 diverged" in ended.out
    assert "0003  config=failing.yaml  done in" in ended.out
    assert "done     1 of 1" in ended.out
    assert ended.code == 0
    ended = ganlit("sweep", "run", str(mixed))
    assert "has no trial to start: 2 done, 1 diverged" in ended.out


def test_an_interrupted_sweep_saves_and_tells_how_to_go_on(sweep_of: Made, ganlit: Callable[..., Answer]) -> None:
    folder = sweep_of("0002-long", {"seed": {"value": 1}, "kimg": {"value": 1000}})
    run = Path("runs/0002-long/0001")

    def interrupt() -> None:
        while (known := state.read(run)) is None or known.kimg == 0:
            time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    ended = ganlit("sweep", "run", str(folder))
    assert ended.code == 130
    assert "saving 0001" in ended.out
    assert f"stopped; go on with: python -m ganlit sweep run {folder}" in ended.out
    assert state.read(run).phase == "preempted"
    assert (run / "checkpoints" / "last.ckpt").exists()


def test_what_is_due_is_submitted_in_arrays(
    sweep_of: Made, stands: Callable[..., None], site: Path, ganlit: Callable[..., Answer]
) -> None:
    folder = sweep_of("0003-array", {"seed": {"values": [0, 1, 2, 3, 4]}})
    stands("0003-array/0002", "done")
    args = ["--partition", "p", "--gpus", "4", "--nodes", "2", "--time", "8:00:00", "--max-parallel", "8"]
    given = "--nodes=2 --ntasks-per-node=4 --gpus-per-node=4 --partition=p --time=8:00:00"
    ours = "--job-name=0003-array --output=runs/0003-array/slurm-%A_%a.out"

    ended = ganlit("sweep", "submit", str(folder), *args, "--sbatch=--qos=high --ntasks-per-node=2")
    first, second = said(site)
    assert ended.code == 0
    assert first.startswith(f"--parsable --array=1,3%8 {ours} {given} --qos=high --ntasks-per-node=2 ")
    assert first.endswith(f"slurm/sweep.sbatch {folder} 0")
    assert second.startswith(f"--parsable --array=1-2%8 {ours} --dependency=afterany:11 {given}")
    assert second.endswith(f"slurm/sweep.sbatch {folder} 3")

    (site / "queue").write_text("11_1 RUNNING\n11_3 PENDING\n12_1 PENDING\n")
    stands("0003-array/0003", "preempted")
    table = ganlit("sweep", "status", str(folder)).out.splitlines()
    assert [line.split()[2] for line in table[1:6]] == ["running", "done", "preempted", "pending", "pending"]
    assert [job in line for job, line in zip(("11_1", "", "11_3", "12_1", "12_2"), table[1:6], strict=True)] == [
        True
    ] * 5

    assert "sbatch --array=2 " in ganlit("sweep", "submit", "--dry-run", str(folder)).out
    assert len(said(site)) == 2
    ganlit("sweep", "submit", str(folder), "--gpus", "0")
    assert len(said(site)) == 3
    assert "--array=2 " in said(site)[-1]  # the fifth trial alone is neither done nor in the queue
    assert "--nodes=1 --ntasks-per-node=1 " in said(site)[-1]
    assert "gpus" not in said(site)[-1]


def test_what_has_failed_is_submitted_again_as_it_was(
    sweep_of: Made, stands: Callable[..., None], site: Path, ganlit: Callable[..., Answer]
) -> None:
    folder = sweep_of("0004-retry", {"seed": {"values": [0, 1, 2]}})
    ganlit("sweep", "submit", str(folder), "--partition", "p", "--max-parallel", "2")
    stands("0004-retry/0001", "failed")
    stands("0004-retry/0002", "diverged")
    stands("0004-retry/0003", "running")  # and its process is gone
    ganlit("sweep", "retry", "--failed", str(folder))
    assert said(site)[-1].startswith("--parsable --array=1,3%2 ")
    assert "--partition=p" in said(site)[-1]
    ganlit("sweep", "retry", str(folder), "--trials", "2")
    assert "--array=2%2 " in said(site)[-1]
    ganlit("sweep", "submit", str(folder), "--partition", "q")
    ganlit("sweep", "retry", str(folder), "--trials", "1,2")
    assert [("--array=1 " in line, "--array=2%2 " in line) for line in said(site)[-2:]] == [
        (True, False),
        (False, True),
    ]
    assert ["--partition=q" in line for line in said(site)[-2:]] == [True, False]

    with Path("runs/0004-retry/0003/lock").open("w") as lock:  # as where nobody can tell whether it is held
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = ganlit("sweep", "retry", str(folder), "--trials", "3")
        assert "trial 3 says that it is running, but is in no queue: it is taken for killed" in ended.out
        assert "--array=3 " in said(site)[-1]
        (site / "queue").write_text("14_3 RUNNING\n")
        assert "trial 3 is RUNNING" in ganlit("sweep", "retry", str(folder), "--trials", "3").err

    (site / "queue").write_text("12_1 PENDING\n")
    count = len(said(site))
    assert "trial 1 is PENDING" in ganlit("sweep", "retry", str(folder), "--trials", "1").err
    assert "no trial 9: they are numbered from 1 to 3" in ganlit("sweep", "retry", str(folder), "--trials", "9").err
    assert "give --failed" in ganlit("sweep", "retry", str(folder)).err
    assert "nothing to retry" in ganlit("sweep", "retry", str(folder), "--preempted").out
    Path("runs/0004-retry/0002/state.json").unlink()
    assert "trial 2 is pending" in ganlit("sweep", "retry", str(folder), "--trials", "2").err
    assert len(said(site)) == count


def test_nothing_is_submitted_where_something_is_wrong(
    sweep_of: Made, site: Path, ganlit: Callable[..., Answer]
) -> None:
    wrong = sweep_of("0005-wrong", {"sed": {"values": [0, 1]}})
    assert "unknown key sed; did you mean seed?" in ganlit("sweep", "submit", str(wrong)).err
    assert not said(site)
    right = sweep_of("0006-right", {"seed": {"values": [0, 1]}})
    (site / "sbatch").write_text("#!/bin/bash\necho 'sbatch: error: invalid partition specified: x' >&2; exit 1\n")
    ended = ganlit("sweep", "submit", str(right), "--partition", "x")
    assert (ended.code, ended.err) == (2, "error: sbatch: sbatch: error: invalid partition specified: x\n")
    assert not Path("runs/0006-right/jobs.json").exists()
    with pytest.raises(UserError, match="--nodes is 0: it must be at least 1"):
        commands.submit(right, nodes=0)
    with pytest.raises(UserError, match=r"--sbatch --comment='a is no list of options \(No closing quotation\)"):
        commands.submit(right, sbatch="--comment='a")
    assert ganlit("sweep", "propose", str(right), "1").code == 0  # which is there
    assert "0003.yaml is missing, and no search may choose it" in ganlit("sweep", "propose", str(right), "3").err


@pytest.mark.parametrize(
    ("command", "options", "says"),
    [
        *((name, {"parallel": 0}, "--parallel is 0: it must be at least 1") for name in ("run", "retry")),
        *((name, {"parallel": -1}, "--parallel is -1: it must be at least 1") for name in ("run", "retry")),
        ("run", {"parallel": 10**9}, "--parallel is 1000000000: .*at most 9"),
        ("submit", {"gpus": -1}, "--gpus is -1: it must be at least 0"),
        ("submit", {"cpus": 0}, "--cpus is 0: it must be at least 1"),
        ("submit", {"nodes": 10**9}, "--nodes is 1000000000: .*at most 9"),
        ("submit", {"max_parallel": 0}, "--max-parallel is 0: it must be at least 1"),
        *(("submit", {"time": time}, f"--time {time} is no time") for time in ("x", "", "1:2:3:4", "-1", "8h", "1-")),
        ("retry", {"trials": "x"}, "--trials x is no list of numbers"),
        ("retry", {"trials": ""}, "give --failed"),
        ("propose", {"number": 0}, "the number of a trial is 0: it must be at least 1"),
    ],
)
def test_an_option_that_means_nothing_is_refused_before_anything_is_done(
    command: str, options: dict[str, object], says: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=says):
        getattr(commands, command)(tmp_path / "nowhere", **options)


@pytest.mark.parametrize("time", ["30", "30:00", "8:00:00", "2-12", "2-12:30", "2-12:30:00", "UNLIMITED"])
def test_a_time_is_what_slurm_takes_for_one(time: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"sweep\.yaml cannot be read"):  # which is looked at next
        commands.submit(tmp_path, time=time)


def test_a_dry_run_needs_no_slurm_and_leaves_nothing(sweep_of: Made, site: Path, ganlit: Callable[..., Answer]) -> None:
    folder = sweep_of("0008-dry", {"seed": {"values": [0]}})
    (site / "scontrol").write_text("#!/bin/bash\necho 'no controller' >&2; exit 1\n")
    ended = ganlit("sweep", "submit", "--dry-run", str(folder), "--sbatch", "--gpu-bind=none")
    assert "with arrays of 1000 elements at most: scontrol: no controller" in ended.out
    assert "sbatch --array=1 --job-name=0008-dry " in ended.out
    assert " --gpu-bind=none " in ended.out
    assert not (folder / "trials").exists()
    assert not Path("runs/0008-dry").exists()


def test_two_who_submit_at_once_submit_a_trial_once(sweep_of: Made, site: Path) -> None:
    folder = sweep_of("0009-twice", {"seed": {"values": [0]}})
    commands.begun(folder)
    slow = f"sleep 0.3; echo 11_1 PENDING > {site}/queue; echo"
    (site / "sbatch").write_text((site / "sbatch").read_text().replace("echo", slow, 1))
    with ThreadPoolExecutor(2) as pool:
        assert [*pool.map(commands.submit, [folder] * 2)] == [None] * 2
    assert len(said(site)) == 1


def test_files_do_where_there_is_no_slurm(sweep_of: Made, site: Path, ganlit: Callable[..., Answer]) -> None:
    folder = sweep_of("0007-files", {"seed": {"values": [0]}})
    assert "has no trials yet" in ganlit("sweep", "status", str(folder)).err
    ganlit("sweep", "submit", str(folder))
    (site / "squeue").write_text("#!/bin/bash\necho 'cannot reach the controller' >&2; exit 1\n")
    ended = ganlit("sweep", "status", str(folder))
    assert "without SLURM's queue: squeue: cannot reach the controller" in ended.out
    assert "1 in all: 1 pending" in ended.out


def test_a_trial_that_is_worse_than_the_others_ends_early_and_goes_on_by_hand(
    sweep_of: Made, stands: Callable[..., None], site: Path, ganlit: Callable[..., Answer]
) -> None:
    folder = sweep_of(
        "0010-early",
        {"model.init_args.generator_optimizer.init_args.lr": {"values": [0.0, 0.002]}, "kimg": {"value": 0.4}},
        metric={"name": "signal/moved", "goal": "minimize"},
        early_terminate={"type": "hyperband", "min_iter": 2},
    )
    ganlit("sweep", "submit", str(folder))
    stands("0010-early/0001", "done", length=0.4)
    Path("runs/0010-early/0001/metrics.csv").write_text("kimg,signal/moved\n0.1,nan\n0.2,0\n0.3,")
    start = ("fit", "--config", str(folder / "trials" / "0002.yaml"), "--resume")
    ended = ganlit(*start)
    assert ended.code == 0
    known = state.read(Path("runs/0010-early/0002"))
    assert (known.phase, known.kimg) == ("stopped early", 0.2)
    assert known.reason.startswith("signal/moved ")
    assert known.reason.endswith("at 0.2 kimg, the bracket of 2 validations kept 0, of 2 runs")

    table = ganlit("sweep", "status", str(folder)).out.splitlines()
    assert "stopped early  0.2/0.4" in table[2]
    assert known.reason in table[2]
    assert table[-1] == "2 in all: 1 done, 1 stopped early"
    assert "nothing to retry" in ganlit("sweep", "retry", str(folder), "--failed").out
    assert "no trial to start: 1 done, 1 stopped early" in ganlit("sweep", "submit", str(folder)).out
    assert "was stopped early" in (again := ganlit(*start)).out
    assert "go on with --early_terminate null" in again.out
    ganlit("sweep", "retry", str(folder), "--trials", "2")
    assert said(site)[-1].endswith(f"sweep.sbatch {folder} 0")
    assert "it goes to its end" in ganlit(*start, "--kimg=0.25").out
    assert "preempted" in ganlit("sweep", "status", str(folder)).out.splitlines()[2]
    ganlit("sweep", "retry", "--preempted", str(folder))  # which lets nothing go on that has not been let already
    assert said(site)[-1].endswith(f"sweep.sbatch {folder} 0")
    assert ganlit(*start).code == 0
    known = state.read(Path("runs/0010-early/0002"))
    assert (known.phase, known.kimg) == ("done", 0.4)  # past 0.3, where it would be judged again
    assert "early_terminate" not in Path("runs/0010-early/0002/config.yaml").read_text()

    sweep = folder / "sweep.yaml"
    sweep.write_text(sweep.read_text().replace("min_iter: 2", "min_iter: 3"))
    assert "is frozen with another early_terminate" in ganlit("sweep", "submit", str(folder)).err


LOOK = """
import sys
from ganlit.cli.main import main
assert main(["sweep", "status", sys.argv[1]]) == 0
assert {"torch", "lightning", "numpy", "wandb"}.isdisjoint(sys.modules)
"""


def test_a_look_at_a_sweep_waits_for_no_library(sweep_of: Made, stands: Callable[..., None]) -> None:
    folder = sweep_of("0011-look", {"seed": {"values": [0]}}, metric={"name": "bleu4", "goal": "maximize"})
    commands.begun(folder)
    stands("0011-look/0001", "done")
    header = "kimg,bleu20-4/-/-/names-train@9f/ema,nll20/-/-/names-train@9f/ema"
    Path("runs/0011-look/0001/metrics.csv").write_text(f"{header}\n0.1,0.25,3\n")
    ran = subprocess.run([sys.executable, "-c", LOOK, folder], capture_output=True, text=True, check=True)
    assert "0.25" in ran.stdout
