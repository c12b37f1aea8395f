"""`fit --from`: a run that begins with the networks of another, and goes on alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from remains import Killed, checkpoint, numbers_of, same
from squares import STYLES, part, tiny
from torch import Tensor

from ganlit.cli.main import main
from ganlit.configuration.inheritance import Inheritance, inherit
from ganlit.configuration.rebuild import build
from ganlit.configuration.resolve import resolve
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.synthesis import Synthesis

SCHEDULE = part("Anneal", end="${kimg}", share=1.0)
QUIET = ("--fidelity", "null", "--trainer.callbacks", "null")
FINE = {"from": "runs/source", "train": ["generator.to_image", "generator.layers", "discriminator.layers.[3-5]"]}


@pytest.fixture(scope="module")
def configuration() -> str:
    model = STYLES | {"augment": part("ADA", p=0.2, interval=1), "generator_clip": 0.5, "accumulate": 2}
    trainer = {"accelerator": "cpu", "log_every_n_steps": 1, "callbacks": [SCHEDULE]}
    return tiny(model=model, data={"fit": "resize"}, fidelity=None, trainer=trainer)


@pytest.fixture(scope="module")
def source(place: Path) -> Path:
    """A trained run."""
    assert main(["fit", "--config", "tiny.yaml", "--name", "source"]) == 0
    (place / "fine.yaml").write_text(yaml.safe_dump(FINE))
    return Path("runs/source")


@pytest.fixture(scope="module")
def tuned(source: Path) -> Path:
    """A run that began with it, and was not disturbed; of it, what did not learn."""
    assert main(["fit", "--config", "tiny.yaml", "--config", "fine.yaml", "--name", "tuned"]) == 0
    return Path("runs/tuned")


def learns(name: str) -> bool:
    parts = ("generator.to_image", "generator.layers", "discriminator.layers.3", "discriminator.layers.5")
    return name.replace("ema.module", "generator").startswith(parts)


def players(run: Path) -> dict[str, Tensor]:
    state = checkpoint(run)["state_dict"]
    return {name: value for name, value in state.items() if name.startswith(("generator.", "discriminator.", "ema."))}


def test_what_is_frozen_is_the_sources_to_the_end_and_all_else_has_moved(source: Path, tuned: Path) -> None:
    before, after = players(source), players(tuned)
    for name, value in after.items():
        origin = f"ema.module.{name.removeprefix('generator.')}" if name.startswith("generator.") else name
        origin = name if learns(name) else origin
        assert torch.equal(value, before[origin]) is not learns(name), name
    assert checkpoint(tuned)["images_seen"] == 100


def test_the_record_says_how_the_run_was_made(source: Path, tuned: Path) -> None:
    assert yaml.safe_load((tuned / "config.yaml").read_text()).items() >= FINE.items()
    assert (
        not {"from", "train", "fresh", "from_optimizers"} & yaml.safe_load((source / "config.yaml").read_text()).keys()
    )


def test_the_counts_are_told(source: Path, ganlit: Any) -> None:
    options = ["--from", f"{source}/checkpoints/ema.safetensors", "--train", "generator,discriminator.layers.5"]
    answer = ganlit("fit", "--config", "tiny.yaml", "--name", "counted", *options, "--kimg", "0.02")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert "from     runs/source/checkpoints/ema.safetensors" in lines
    assert "from     that is a generator alone: the discriminator begins anew" in lines
    rows = [line.replace("│", " ").replace("┃", " ").split() for line in lines if "│" in line or "┃" in line]
    net = build((source / "config.yaml").read_text(), source)
    all_g, all_d = (sum(each.numel() for each in player.parameters()) for player in (net.generator, net.discriminator))
    last = sum(each.numel() for each in net.discriminator.layers[5].parameters())
    assert rows == [
        ["parameters", "loaded", "fresh", "frozen", "learning"],
        ["generator", f"{all_g:,}", "0", "0", f"{all_g:,}"],
        ["discriminator", "0", f"{all_d:,}", f"{all_d - last:,}", f"{last:,}"],
    ]


@pytest.mark.parametrize("clock", [20, 60])
def test_killed_and_resumed_it_ends_with_the_same_bits_though_its_source_is_gone(
    tuned: Path, ganlit: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, clock: int
) -> None:
    name = f"killed-{clock}"
    options = ["fit", "--config", "tiny.yaml", "--config", "fine.yaml", "--name", name, "--data.init_args.tick=0.02"]
    step = Synthesis.training_step

    def killing(self: AdversarialModule, batch: Any, batch_idx: int) -> None:
        step(self, batch, batch_idx)
        if self.images_seen == clock:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Synthesis, "training_step", killing)
        with pytest.raises(Killed):
            ganlit(*options)
    assert "from     runs/source" in capsys.readouterr().out
    shutil.copytree("runs/source", "runs/elsewhere", dirs_exist_ok=True)
    begun = clock > 20  # before the first checkpoint there is nothing but the source to begin with
    if begun:
        shutil.rmtree("runs/source")
    try:
        answer = ganlit(*options, "--resume")
    finally:
        shutil.copytree("runs/elsewhere", "runs/source", dirs_exist_ok=True)
    assert answer.code == 0, answer.err
    assert ("from     runs/source" in answer.out) is not begun
    assert ("parameters of the generator and" in answer.out) is begun
    one, other = checkpoint(tuned), checkpoint(Path("runs", name))
    assert all(same(one[key], other[key]) for key in ("state_dict", "optimizer_states", "images_seen"))
    losses, again = (
        [row["generator/adversarial"] for row in numbers_of(run) if row["generator/adversarial"]]
        for run in (tuned, Path("runs", name))
    )
    assert losses == again


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (
            "--train=generator",
            "train: [generator.to_image, generator.layers, discriminator.layers.[3-5]] -> generator: ",
        ),
        ("--from=runs/other", "from: runs/source -> runs/other: take them back, or go on with --resume.allow=from."),
        ("--fresh=discriminator", "fresh: unset -> discriminator"),
    ],
)
def test_a_run_does_not_go_on_as_another_one(tuned: Path, ganlit: Any, option: str, sentence: str) -> None:
    options = ["fit", "--config", "tiny.yaml", "--config", "fine.yaml", "--name", "tuned", "--kimg=0.2", "--resume"]
    answer = ganlit(*options, option)
    assert answer.code == 2
    assert sentence in answer.err


def test_two_beginnings_are_one_too_many(tuned: Path, ganlit: Any) -> None:
    answer = ganlit(
        "fit", "--config", f"{tuned}/config.yaml", "--name", "both", "--ckpt_path", f"{tuned}/checkpoints/last.ckpt"
    )
    assert answer.code == 2
    assert answer.err == (
        "error: from and ckpt_path both say what the run begins with: leave one out, as by --from null.\n"
    )
    assert not Path("runs/both").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--from", "runs/sauce"], "error: from is runs/sauce, which is no run; did you mean runs/source?"),
        (
            ["--train", "generator.to_imag"],
            "error: train names generator.to_imag, but there is no such part; did you mean",
        ),
        (["--train", "discriminator"], "error: train is discriminator, which leaves nothing of the generator to learn"),
        (["--fresh", "generator"], "error: fresh is given without from"),
        (["--from", "runs/source", "--model.generator.classes=0"], "by --fresh=generator.w_mean,generator.mapping"),
    ],
)
def test_mistakes_are_told_in_a_line_and_leave_no_run(
    source: Path, ganlit: Any, options: list[str], sentence: str
) -> None:
    answer = ganlit("fit", "--config", "tiny.yaml", "--name", "mistaken", *options)
    assert answer.code == 2
    assert sentence in answer.err
    assert answer.err.count("\n") == 1
    assert not Path("runs/mistaken/checkpoints").exists()


def rebuilt(run: Path, **options: Any) -> AdversarialModule:
    module = build((run / "config.yaml").read_text(), run)
    given = {"from": "runs/source", "train": None, "fresh": None, "from_optimizers": True} | options
    inherit(module, Inheritance.of(given))
    return module


def test_what_optimizers_remember_is_taken_over(source: Path) -> None:
    module = rebuilt(source, train="generator.layers,discriminator", fresh="discriminator.layers.5")
    states = checkpoint(source)["optimizer_states"]
    for optimizer, player, state in zip(
        module.configure_optimizers(), ("discriminator", "generator"), states, strict=True
    ):
        for place, (name, parameter) in enumerate(getattr(module, player).named_parameters()):
            taken = name.startswith("layers.") and (player, name.split(".")[1]) != ("discriminator", "5")
            assert same(dict(optimizer.state.get(parameter, {})), state["state"][place] if taken else {}), name
    assert any(state["exp_avg"].any() for state in module.configure_optimizers()[1].state.values())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"amsgrad": True}, "this is Adam with amsgrad and that of runs/source is Adam: give the same"),
        ({"class_path": "torch.optim.SGD"}, "this is SGD and that of runs/source is Adam: give the same"),
    ],
)
def test_optimizers_of_another_kind_remember_other_things(
    source: Path, ganlit: Any, options: dict[str, Any], sentence: str
) -> None:
    key = "--model.init_args.discriminator_optimizer"
    given = [
        f"{key}.{name}={value}" if name == "class_path" else f"{key}.init_args.{name}={value}"
        for name, value in options.items()
    ]
    begin = ["fit", "--config", "tiny.yaml", "--name", "moments", "--from", str(source), "--from_optimizers", *QUIET]
    answer = ganlit(*begin, *given)
    assert answer.code == 2
    assert f"error: model.init_args.discriminator_optimizer: from_optimizers is given, but {sentence}" in answer.err


def test_other_commands_take_no_notice(tuned: Path, ganlit: Any) -> None:
    config = yaml.safe_load((tuned / "config.yaml").read_text())
    Path("gone.yaml").write_text(yaml.safe_dump(config | {"from": "runs/gone", "fidelity": {"metrics": ["fid"]}}))
    for command in ("validate", "prepare"):
        answer = ganlit(command, "--config", "gone.yaml")
        assert answer.code == 0, answer.err
    assert ganlit("generate", str(tuned), "--count", "2").code == 0
    assert ganlit("report", str(tuned)).code == 0
    assert yaml.safe_load(resolve(["--config", "tiny.yaml", "--config", "fine.yaml"])).items() >= FINE.items()
