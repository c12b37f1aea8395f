"""SLURM's commands are played by small programs on the PATH; tests/slurm asks the real ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlit.compute import slurm
from ganlit.errors import UserError


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a shell script on an otherwise empty PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name: str, script: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/bash\n{script}\n")
        (tmp_path / name).chmod(0o755)

    return put


def test_an_element_of_an_array_is_a_job_of_its_own() -> None:
    assert slurm.job({}) is None
    assert slurm.job({"SLURM_JOB_ID": "12"}) == "12"
    assert slurm.job({"SLURM_JOB_ID": "14", "SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "3"}) == "12_3"


def test_a_job_knows_whether_it_has_run_before() -> None:
    assert [slurm.restarted({"SLURM_RESTART_COUNT": count}) for count in ("0", "2")] == [False, True]
    assert not slurm.restarted({})


def test_a_refusal_is_told_as_it_is(command) -> None:
    command("sbatch", "echo 'sbatch: error: invalid partition specified: gpux' >&2; exit 1")
    with pytest.raises(UserError, match="sbatch: error: invalid partition specified: gpux"):
        slurm.submit(Path("slurm/train.sbatch"), [], [])


def test_a_missing_command_is_named(command) -> None:
    with pytest.raises(UserError, match="scontrol is not on this machine"):
        slurm.requeue("12")


def test_answers_are_read(command, tmp_path: Path) -> None:
    command("sbatch", f'echo "$*" > {tmp_path}/said; echo "7;cluster"')
    command("squeue", "echo '7_1 RUNNING'; echo '7_2 PENDING'; echo '9 COMPLETING'")
    command("scontrol", "echo 'MaxArraySize            = 4001'")
    assert slurm.submit(Path("a.sbatch"), ["--array=1-2"], ["x"]) == "7"
    assert (tmp_path / "said").read_text() == "--parsable --array=1-2 a.sbatch x\n"
    assert slurm.queue() == {"7_1": "RUNNING", "7_2": "PENDING", "9": "COMPLETING"}
    assert slurm.max_array_size() == 4001
