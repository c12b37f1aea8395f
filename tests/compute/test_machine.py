from __future__ import annotations

from typing import Any

import pytest
from lightning.fabric.plugins.environments import SLURMEnvironment

from ganlit.compute.machine import affordable, processes, ranks, slurms
from ganlit.errors import UserError

TORCHRUN = {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"}
SRUN = {"SLURM_STEP_ID": "0", "SLURM_NTASKS": "8", "SLURM_NNODES": "2"}
LAUNCHERS = pytest.mark.parametrize("environment", [TORCHRUN, SRUN], ids=["torchrun", "srun"])


@pytest.fixture(autouse=True)
def slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lightning looks for these itself, to tell a job from an interactive shell."""
    monkeypatch.setenv("SLURM_NTASKS", "8")
    monkeypatch.setenv("SLURM_NTASKS_PER_NODE", "4")


@pytest.mark.parametrize(
    ("devices", "number"),
    [(1, 1), (3, 3), ("2", 2), ([0], 1), ([0, 3], 2), ("0,1,", 2), ("0,2,3", 3), ("auto", 1), (-1, 1), ("-1", 1)],
)
def test_the_number_of_processes_of_a_machine(devices: Any, number: int) -> None:
    assert processes(devices, "cpu") == number


@pytest.mark.parametrize(("devices", "number"), [("auto", 4), (-1, 4), ([1, 2], 2), (1, 1)])
def test_all_devices_are_gpus_where_there_are_any(devices: Any, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    assert processes(devices, "auto") == processes(devices, "gpu") == number


@pytest.mark.parametrize(("devices", "nodes"), [(1, 1), ("auto", 1), (4, 2), ("4", 2)])
@LAUNCHERS
def test_processes_that_others_have_started_are_taken_as_they_are(
    devices: Any, nodes: int, environment: dict[str, str]
) -> None:
    found, there = ranks(devices, nodes, "cpu", environment)
    assert (int(found), there) == (4, 2)


@pytest.mark.parametrize(("devices", "nodes"), [(2, 1), (8, 1), (4, 1), (1, 2), (2, 4)])
@LAUNCHERS
def test_another_number_than_is_asked_for_is_refused(devices: Any, nodes: int, environment: dict[str, str]) -> None:
    with pytest.raises(UserError, match=f"has started 8 processes on 2 nodes, but trainer.devices is {devices}"):
        ranks(devices, nodes, "cpu", environment)


def test_without_a_launcher_the_configuration_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ranks("auto", 3, "cpu", {}) == ("auto", 3)
    assert ranks(2, 1, "cpu", {"SLURM_NTASKS": "8"}) == (2, 1)  # in a batch script, not below srun
    monkeypatch.setenv("SLURM_JOB_NAME", "interactive")
    assert ranks(2, 1, "cpu", SRUN) == (2, 1)


def test_bfloat16_is_only_used_where_it_is_native(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("ganlit.compute.machine.native_bf16", lambda device: False)
    assert affordable("bf16-mixed", "cpu") == "32-true"
    assert "bf16-mixed becomes 32-true" in capsys.readouterr().out
    monkeypatch.setattr("ganlit.compute.machine.native_bf16", lambda device: True)
    assert affordable("bf16-mixed", "cpu") == "bf16-mixed"
    assert affordable("32-true", "cpu") == "32-true"
    assert capsys.readouterr().out == ""


def test_devices_that_are_none_are_refused() -> None:
    with pytest.raises(UserError, match=r"trainer\.devices is abc: give a number"):
        processes("abc", "cpu")


def test_lightning_counts_ranks_only_below_srun() -> None:
    job = {"SLURM_JOB_ID": "12"}
    assert [type(one).__name__ for one in slurms(job)] == ["LightningEnvironment"]
    assert slurms({}) == slurms(job | TORCHRUN) == []
    (found,) = slurms(job | SRUN)
    assert isinstance(found, SLURMEnvironment)
    assert not found.auto_requeue
