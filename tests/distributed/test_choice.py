"""`--trainer.devices=N` trains two players on N processes by `AdversarialDDP`, unless another strategy is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import DDPStrategy, SingleDeviceStrategy

from ganlit.cli import GanlitCLI, processes
from ganlit.strategy import AdversarialDDP


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


@pytest.mark.parametrize(
    ("options", "strategy"),
    [
        ([], SingleDeviceStrategy),
        (["--trainer.devices=1"], SingleDeviceStrategy),
        (["--trainer.devices=2"], AdversarialDDP),
        (["--trainer.devices=1", "--trainer.num_nodes=2"], AdversarialDDP),
        (["--trainer.devices=2", "--trainer.strategy=adversarial_ddp"], AdversarialDDP),
        (["--trainer.devices=2", "--trainer.strategy=ddp_find_unused_parameters_true"], DDPStrategy),
    ],
)
def test_the_strategy_of_a_command(
    place: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], strategy: type
) -> None:
    monkeypatch.chdir(place)
    Path("plain.yaml").write_text(Path("tiny.yaml").read_text().replace("faulty.Faulty", "Synthesis"))
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setattr(GanlitCLI, "_run_subcommand", lambda self, subcommand: None)
    cli = GanlitCLI(["fit", "--config", "plain.yaml", "--name", "unused", "--fidelity=null", *options])
    assert type(cli.trainer.strategy) is strategy


def test_what_fails_before_the_processes_have_met_is_told_as_it_is() -> None:
    trainer = Trainer(accelerator="cpu", devices=2, strategy=AdversarialDDP(), logger=False, enable_checkpointing=False)
    trainer.strategy.on_exception(ArithmeticError())
    trainer.strategy.teardown()
