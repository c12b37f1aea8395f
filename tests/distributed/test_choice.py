"""`--trainer.devices=N` trains two players on N processes by `AdversarialDDP`, unless another strategy is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import SingleDeviceStrategy

from ganlit.cli.commands import GanlitCLI
from ganlit.compute.strategy import AdversarialDDP


@pytest.mark.parametrize(
    ("options", "strategy"),
    [
        ([], SingleDeviceStrategy),
        (["--trainer.devices=1"], SingleDeviceStrategy),
        (["--trainer.devices=2"], AdversarialDDP),
        (["--trainer.devices=1", "--trainer.num_nodes=2"], AdversarialDDP),
        (["--trainer.devices=2", "--trainer.strategy=adversarial_ddp"], AdversarialDDP),
        (["--trainer.devices=2", "--trainer.strategy=ddp_find_unused_parameters_true"], AdversarialDDP),
    ],
)
def test_the_strategy_of_a_command(
    place: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], strategy: type
) -> None:
    monkeypatch.chdir(place)
    Path("plain.yaml").write_text(Path("tiny.yaml").read_text().replace("faulty.Faulty", "Synthesis"))
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setattr(GanlitCLI, "_run_subcommand", lambda self, subcommand: None)
    cli = GanlitCLI(["fit", "--config", "plain.yaml", "--name", "unused", "--fidelity=null", *options])
    assert type(cli.trainer.strategy) is strategy


def test_what_fails_before_the_processes_have_met_is_told_as_it_is() -> None:
    trainer = Trainer(accelerator="cpu", devices=2, strategy=AdversarialDDP(), logger=False, enable_checkpointing=False)
    trainer.strategy.on_exception(ArithmeticError())
    trainer.strategy.teardown()
