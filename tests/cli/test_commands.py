from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from remains import rows_of
from squares import STYLES, tiny

from ganlit.callbacks.alarms import Alarms
from ganlit.cli.commands import GanlitCLI
from ganlit.cli.main import main
from ganlit.compute import signals, slurm
from ganlit.configuration.resolve import resolve
from ganlit.errors import UserError
from ganlit.tasks.synthesis import Synthesis


@pytest.fixture(scope="module")
def configuration() -> str:
    return tiny(model=STYLES, kimg=0.2, data={"fit": "resize"})


@pytest.fixture(scope="module")
def trained(place: Path) -> Path:
    """The run directory of a whole run."""
    assert main(["fit", "--config", "tiny.yaml"]) == 0
    return Path("runs/tiny")


def scores_of(row: dict[str, str], metric: str) -> list[str]:
    """The values of one metric in a row of metrics.csv, whatever the rest of its id."""
    return [value for name, value in row.items() if name.startswith(f"{metric}/") and value]


def settings_of(monkeypatch: pytest.MonkeyPatch, *args: str) -> GanlitCLI:
    """The command line just before it would train."""
    monkeypatch.setattr(GanlitCLI, "_run_subcommand", lambda self, subcommand: None)
    return GanlitCLI(["fit", "--config", "tiny.yaml", "--name", "elsewhere", *args])


def test_a_run_leaves_its_record(trained: Path) -> None:
    assert sorted(path.relative_to(trained).as_posix() for path in trained.rglob("*") if path.is_file()) == [
        "checkpoints/best.ckpt",
        "checkpoints/ema.safetensors",
        "checkpoints/last.ckpt",
        "checkpoints/previous.ckpt",
        "config.yaml",
        "lock",
        "metrics.csv",
        "overview.png",
        "samples/kimg000000.0.png",
        "samples/kimg000000.1.png",
        "samples/kimg000000.2.png",
        "samples/real.png",
        "state.json",
    ]


@pytest.mark.parametrize(("given", "drifts"), [(None, [16.0]), ([{"drift": 30}], [30.0])])
def test_every_run_has_alarms_whose_bounds_may_be_others(
    given: list[dict[str, float]] | None, drifts: list[float], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = [{"class_path": "Alarms", "init_args": bounds} for bounds in given or []]
    built = settings_of(monkeypatch, *(["--trainer.callbacks", json.dumps(own)] if own else []))
    assert [each.bounds["drift"] for each in built.trainer.callbacks if isinstance(each, Alarms)] == drifts


def test_every_row_of_numbers_has_its_clock(trained: Path) -> None:
    rows = rows_of(trained)
    clocks = [float(row["kimg"]) for row in rows]
    assert clocks == sorted(clocks)
    assert [row["kimg"] for row in rows if row["discriminator/adversarial"]] == [f"{0.02 * n:g}" for n in range(1, 11)]
    assert [row["kimg"] for row in rows if scores_of(row, "fid20")] == ["0.1", "0.2"]
    assert [row["kimg"] for row in rows if scores_of(row, "fid40")] == ["0.2"]
    assert scores_of(rows[-1], "floor-fid40")


def test_the_saved_configuration_is_resolved_and_repeats_the_run(trained: Path, ganlit: Any) -> None:
    saved = yaml.safe_load((trained / "config.yaml").read_text())
    assert saved["name"] == "tiny"
    assert saved["model"]["init_args"]["generator"]["init_args"]["resolution"] == 16
    assert ganlit("fit", "--config", f"{trained}/config.yaml", "--name", "again").code == 0
    again = yaml.safe_load(Path("runs/again/config.yaml").read_text())
    assert again == {**saved, "name": "again"}
    for name in ("last", "best"):
        one, other = (
            torch.load(f"runs/{run}/checkpoints/{name}.ckpt", weights_only=True)["state_dict"]
            for run in ("tiny", "again")
        )
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_run_is_not_overwritten(trained: Path, ganlit: Any) -> None:
    answer = ganlit("fit", "--config", "tiny.yaml")
    assert answer.code == 2
    assert answer.err == ("error: runs/tiny already holds a run: give another --name, or go on with it by --resume.\n")


def test_a_run_that_is_done_is_not_run_again(trained: Path, ganlit: Any) -> None:
    state = json.loads((trained / "state.json").read_text())
    assert (state["phase"], state["kimg"], state["length"], state["starts"]) == ("done", 0.2, 0.2, 1)
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file() and path.name != "lock"}
    answer = ganlit("fit", "--config", "tiny.yaml", "--resume")
    assert answer.code == 0
    assert answer.out.endswith("runs/tiny is done: raise --kimg above 0.2 to train it further\n")
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("requeued", [True, False])
def test_a_run_that_must_make_room_queues_itself_again(
    requeued: bool, place: Path, ganlit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SLURM's command is played by a script; the signal comes before the first step."""
    programs = place / f"programs-{requeued}"
    programs.mkdir()
    if requeued:
        (programs / "scontrol").write_text(f'#!/bin/bash\necho "$*" > {programs}/said\n')
        (programs / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    signals.early.append(signals.ENDING)
    name = f"moved-{requeued}"
    answer = ganlit("fit", "--config", "tiny.yaml", "--fidelity", "null", "--name", name, "--resume")
    state = json.loads(Path(f"runs/{name}/state.json").read_text())
    assert (state["phase"], state["reason"], state["job"], state["kimg"]) == ("preempted", "SIGUSR1", "12_3", 0.02)
    if requeued:
        assert answer.code == 0
        assert (programs / "said").read_text() == "requeue 12_3\n"
        assert answer.out.endswith("job 12_3 is queued again\n")
    else:
        assert answer.code == slurm.REQUEUE
        assert "scontrol is not on this machine" in answer.out
    assert ganlit("fit", "--config", "tiny.yaml", "--fidelity", "null", "--name", name, "--resume").code == 0
    assert json.loads(Path(f"runs/{name}/state.json").read_text())["starts"] == 2


def test_a_run_goes_on_in_place(ganlit: Any) -> None:
    options = ["fit", "--config", "tiny.yaml", "--name", "longer", "--fidelity", "null"]
    last = Path("runs/longer/checkpoints/last.ckpt")
    assert ganlit(*options).code == 0
    assert ganlit(*options, "--kimg", "0.3", "--ckpt_path", str(last)).code == 0
    rows = rows_of(Path("runs/longer"))
    assert [row["kimg"] for row in rows if row["generator/adversarial"]] == [f"{0.02 * n:g}" for n in range(1, 16)]
    assert torch.load(last, weights_only=True)["images_seen"] == 300
    saved = yaml.safe_load(Path("runs/longer/config.yaml").read_text())
    assert (saved["kimg"], saved["fidelity"], saved["ckpt_path"]) == (0.3, None, None)


def test_a_trained_run_is_measured_again_and_keeps_its_record(trained: Path, ganlit: Any) -> None:
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    answer = ganlit("test", "--config", f"{trained}/config.yaml")
    last_row = rows_of(trained)[-1]
    found = {line.split()[1]: line.split()[0] for line in answer.out.splitlines() if "/tiny@0/none/" in line}
    (name,) = (name for name in last_row if name.startswith("fid40/tiny@0/none/squares@"))
    assert found[name] == f"{float(last_row[name]):.3f}"
    assert {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()} == before


def test_measuring_needs_a_trained_run_and_a_measure(trained: Path, ganlit: Any) -> None:
    assert "runs/nothing holds no trained run" in ganlit("test", "--config", "tiny.yaml", "--name", "nothing").err
    assert "nothing to measure" in ganlit("validate", "--config", "tiny.yaml", "--fidelity", "null").err


def test_files_and_overrides_are_merged_before_references_are_followed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay = place / "overlay.yaml"
    overlay.write_text("data: {init_args: {resolution: 32}}\nfidelity: {precision: bf16, every: 2}\n")
    cli = settings_of(monkeypatch, "--config", str(overlay), "--fidelity.precision=fp32")
    assert cli.settings.model.init_args.generator.init_args.resolution == 32
    assert (cli.fidelity.options.precision, cli.fidelity.every) == ("fp32", 2)
    cli = settings_of(monkeypatch, "--data.resolution=64", "--fidelity", "null")
    assert cli.settings.model.init_args.discriminator.init_args.resolution == 64
    assert cli.fidelity is None


def test_a_configuration_is_resolved_without_a_trace(place: Path) -> None:
    before = sorted(place.rglob("*"))
    config = yaml.safe_load(resolve(["--config", "tiny.yaml", "--seed=7", "--model.regularizers.weight=0.5"]))
    assert (config["name"], config["seed"]) == ("tiny", 7)
    assert config["model"]["init_args"]["regularizers"][0]["init_args"] == {"weight": 0.5, "every": 2}
    with pytest.raises(UserError, match="unknown key seeed; did you mean seed"):
        resolve(["--config", "tiny.yaml", "--seeed=7"])
    with pytest.raises(UserError, match="ckpt_path is given"):
        resolve(["--config", "tiny.yaml", "--ckpt_path=runs/tiny/checkpoints/last.ckpt"])
    assert sorted(place.rglob("*")) == before


def test_under_wandbs_agent_each_run_has_a_directory_of_its_own(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_SWEEP_ID", "s1")
    monkeypatch.setenv("WANDB_RUN_ID", "abc123")
    assert yaml.safe_load(resolve(["--config", "tiny.yaml"]))["name"] == "tiny-abc123"
    assert yaml.safe_load(resolve(["--config", "tiny.yaml", "--name=mine"]))["name"] == "mine"


def test_one_seed_governs_all(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, same, other = (settings_of(monkeypatch, "--seed", seed) for seed in ("5", "5", "6"))
    assert (first.model.seed, first.datamodule.seed) == (5, 5)
    weights = [cli.model.generator.constant for cli in (first, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_measures_are_on_unless_switched_off(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_of(monkeypatch).fidelity.options.precision == "fp32"


def test_what_a_user_must_mend_is_told_in_one_line_also_from_inside_the_training(
    ganlit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def training_step(*_: Any) -> None:
        raise UserError("the world is not as\n  you think.")

    monkeypatch.setattr(Synthesis, "training_step", training_step)
    answer = ganlit("fit", "--config", "tiny.yaml", "--name", "failing")
    assert (answer.code, answer.err) == (2, "error: the world is not as you think.\n")


def test_a_checkpoint_of_other_networks_is_refused(trained: Path, ganlit: Any) -> None:
    options = ["fit", "--config", "tiny.yaml", "--name", "wider", "--model.discriminator.width=4"]
    answer = ganlit(*options, "--ckpt_path", f"{trained}/checkpoints/last.ckpt")
    assert answer.code == 2
    assert answer.err.startswith("error: --ckpt_path does not fit the configuration: Error(s) in loading state_dict")
    assert answer.err.count("\n") == 1


def test_ctrl_c_before_the_first_step_ends_a_run_in_order(ganlit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_fit_start(self: Synthesis) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Synthesis, "on_fit_start", on_fit_start)
    handler = signal.getsignal(signal.SIGINT)
    try:
        answer = ganlit("fit", "--config", "tiny.yaml", "--name", "stopped")
    finally:
        signal.signal(signal.SIGINT, handler)
    assert answer.code == 130
    assert "stopped before the first step" in answer.out
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("flag", "value", "instead"),
    [
        ("gradient_clip_val", 1, "model.init_args.generator_clip and discriminator_clip"),
        ("accumulate_grad_batches", 2, "model.init_args.accumulate"),
        ("max_epochs", 1, "--kimg"),
        ("max_steps", 1, "--kimg"),
        ("min_epochs", 1, "--kimg"),
        ("min_steps", 1, "--kimg"),
        ("max_time", "00:01:00:00", "--kimg"),
    ],
)
def test_what_two_players_need_in_place_of_a_flag_of_lightning_is_named(
    flag: str, value: Any, instead: str, ganlit: Any
) -> None:
    answer = ganlit("fit", "--config", "tiny.yaml", "--name", "flagged", f"--trainer.{flag}={value}")
    assert (answer.code, answer.err) == (2, f"error: trainer.{flag} is {value}: leave it out and set {instead}.\n")


@pytest.mark.parametrize("precision", ["16-mixed", "16-true", "bf16-true"])
def test_half_precisions_are_refused(precision: str, ganlit: Any) -> None:
    answer = ganlit("fit", "--config", "tiny.yaml", "--name", "half", f"--trainer.precision={precision}")
    assert (answer.code, answer.err) == (
        2,
        f"error: trainer.precision is {precision}: set it to 32-true or bf16-mixed.\n",
    )


def test_the_tools_are_commands_too(place: Path, ganlit: Any) -> None:
    answer = ganlit("data", "check", "squares")
    assert answer.code == 0
    assert "squares: 100 pictures" in answer.out
    assert ganlit("generate", "nowhere").err.startswith("error: nowhere is not a run directory")


def test_help_and_print_config(ganlit: Any) -> None:
    overview = ganlit("--help").out
    assert all(command in overview for command in ("fit", "validate", "test", "generate", "data"))
    assert "predict" not in overview
    assert ganlit("fit", "--help").out.startswith(
        "usage: python -m ganlit [options] fit --config FILE [--config OVERLAY"
    )
    assert all(key in ganlit("fit", "--help").out for key in ("--name", "--kimg", "--seed", "--fidelity"))
    printed = ganlit("fit", "--config", "tiny.yaml", "--print_config")
    assert printed.code == 0
    assert yaml.safe_load(printed.out)["model"]["init_args"]["generator"]["init_args"]["resolution"] == 16
