"""What people type wrongly, and what they meet when they go on: one sentence, exit code 2, and nothing lost."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from squares import STYLES, tiny

from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.cli.main import main
from ganlit.records import durable

FIT = ("fit", "--config", "tiny.yaml", "--wandb=null", "--fidelity=null")


@pytest.fixture(scope="module")
def configuration() -> str:
    return tiny(model=STYLES, kimg=0.08, data={"fit": "resize"})


@pytest.fixture(scope="module")
def trained(place: Path) -> Path:
    (place / "tiny.yaml").write_text((place / "tiny.yaml").read_text())
    assert main([*FIT, "--name=done"]) == 0
    return Path("runs/done")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--name=.."], "name is '..': give the name of a folder below runs"),
        (["--name="], "name is '': give the name of a folder below runs"),
        (["--name=/tmp/x"], "name is '/tmp/x'"),
        (["--name=a/../../b"], "name is 'a/../../b'"),
        (["--name=a\nb"], r"name is 'a\nb'"),
        (["--name=1e5"], "name is 100000.0 to YAML"),
        (["--name=" + "x" * 300], "cannot be written (File name too long): give another --name"),
        (["--trainer.default_root_dir=tiny.yaml"], "cannot be written (Not a directory): give another --name"),
        (["--trainer.default_root_dir=null"], "trainer.default_root_dir is null"),
        (["--kimg=1e300"], "kimg is 1e+300: it must be above 0 and at most 1e+09"),
        (["--seed=4294967296"], "seed is 4294967296: it must be at least 0 and below 4,294,967,296"),
        (["--trainer.devices=-5"], "trainer.devices is -5: it must be at least 1"),
        (["--trainer.devices=[]"], "trainer.devices is 0: it must be at least 1"),
        (["--trainer.devices=400"], "trainer.devices is 400: it must be at least 1 and at most"),
        (["--trainer.devices=3"], "which 3 ranks with model.init_args.accumulate 1 cannot share evenly"),
        (["--trainer.num_nodes=0"], "trainer.num_nodes is 0: it must be at least 1"),
        (["--trainer.num_nodes=2"], "nothing has started this on other nodes: use srun or torchrun"),
        (["--trainer.accelerator=tpu"], "trainer.accelerator is tpu: it must be one of auto, cpu, gpu, cuda"),
        (["--trainer.strategy=fsdp"], "trainer.strategy is fsdp: it must be one of auto, adversarial_ddp, ddp"),
        (["--trainer.barebones=true"], "trainer.barebones is True: leave it out"),
        (["--trainer.limit_train_batches=0"], "trainer.limit_train_batches is 0: leave it out and set a short --kimg"),
        (["--trainer.num_sanity_val_steps=2"], "set data.init_args.val_images"),
        (["--trainer.check_val_every_n_epoch=0"], "set data.init_args.tick"),
        (["--fidelity.metrics=[foo]"], "fidelity.metrics: there is no metric foo"),
        (["--fidelity.every=0"], "fidelity.every is 0: it must be at least 1"),
        (["--model.init_args.n_critic=0"], "model.init_args.n_critic is 0: it must be at least 1"),
        (["--model.init_args.generator_clip=-1"], "model.init_args.generator_clip is -1.0: it must be above 0"),
        (["--model.init_args.ema=EMA", "--model.init_args.ema.half_life=-1"], "EMA.half_life is -1.0"),
        (
            ["--model.init_args.ema=EMA", "--model.init_args.ema.half_life=.nan"],
            "EMA.half_life is nan: it must be a finite number",
        ),
        (["--model.init_args.generator.z_dim=0"], "StyleGenerator.z_dim is 0: it must be at least 1"),
        (["--model.init_args.generator.style_mixing=2"], "StyleGenerator.style_mixing is 2.0: it must be at least 0"),
        (["--model.init_args.generator_optimizer.lr=-1"], "generator_optimizer: Adam cannot be built"),
        (["--model.init_args.generator_optimizer.betas=[0.5]"], "expected a tuple with 2 elements, got [0.5]"),
        (["--model.init_args.generator_optimizer.params=3"], "init_args.params; known here: amsgrad, betas"),
        (["--model.init_args.generator_optimizer=torch.optim.LBFGS"], "LBFGS evaluates a step again and again"),
        (["--model.init_args.generator_optimizer=torch.optim.lr_scheduler.StepLR"], "there is no Optimizer"),
        (["--model.init_args.generator_optimizer=torch.optim.nothing.X"], "no class nothing fits here"),
        (["--model=ganlit.tasks.base.AdversarialModule"], "is abstract, so there is nothing to build"),
        (["--model=torch.nn.Linear"], "what is named there is no AdversarialModule: torch.nn.Linear"),
        (["--model=nothing.yaml"], "there is no file nothing.yaml"),
        (["--wandb.tags=a"], "wandb.tags: expected list, got a"),
        (["--config"], "expected one argument"),
        (["--model.init_args.n_critic=null"], "model.init_args.n_critic is null: it must be a finite number"),
        (["--data.init_args.batch=null"], "data.init_args.batch is null"),
        (["--trainer.callbacks+=Recovery"], "trainer.callbacks names Recovery, which every run has already"),
        (["--trainer.callbacks+=Samples", "--trainer.callbacks.rows=0"], "Samples.rows is 0: it must be at least 1"),
        (
            ["--trainer.callbacks+=EarlyStopping", "--trainer.callbacks.monitor=loss"],
            "EarlyStopping fails in a",
        ),
        (["--model.init_args.generator_optimizer=torch.optim.SparseAdam"], "SparseAdam fails in a training of two"),
        (
            ["--model.init_args.generator_optimizer=torch.nn.init.ones_"],
            "ones_ is a function: name a class",
        ),
        (["--trainer.default_root_dir=s3://a/b"], "name a folder of this machine"),
        (["--name=a\udcff"], "holds bytes that are no UTF-8"),
        (["--model=fifo"], "fifo is no file"),
        (["--trainer=fifo"], "fifo is no file"),
        (["--trust"], "--trust needs the name of a module of yours"),
        (["--trust=a-b"], "--trust a-b is no module"),
    ],
)
def test_a_mistake_is_one_sentence(args: list[str], sentence: str, place: Path, ganlit: Any) -> None:
    if not (place / "fifo").exists():
        os.mkfifo(place / "fifo")
    answer = ganlit("fit", "--config", "tiny.yaml", "--wandb=null", "--name=wrong", *args)
    assert answer.code == 2
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1, answer.err
    assert sentence in answer.err
    shutil.rmtree(place / "runs" / "wrong", ignore_errors=True)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["generator=StyleDiscriminator", "generator.resolution=16"], "sampling fails with these data"),
        (["discriminator=StyleGenerator", "discriminator.resolution=16"], "the discriminator's turn fails"),
        (["discriminator.channels=3"], "the discriminator's turn fails with these data: generator StyleGenerator and"),
        (["discriminator=StyleDiscriminator", "discriminator.resolution=32", "discriminator.channels=1"], "turn fails"),
        (["discriminator.resolution=8"], "DCDiscriminator.resolution is 8, but it is"),
        (
            ["discriminator=StyleDiscriminator", "discriminator.resolution=16", "discriminator.classes=5"],
            "squares has 2 classes but the discriminator knows 5",
        ),
        (["generator.classes=10"], "squares has 2 classes but the generator knows 10"),
    ],
)
def test_parts_that_do_not_fit_are_found_before_training(
    args: list[str], sentence: str, place: Path, ganlit: Any
) -> None:
    answer = ganlit(*FIT, "--name=wrong", *(f"--model.init_args.{arg}" for arg in args))
    kept = (place / "runs" / "wrong" / "checkpoints").exists()
    shutil.rmtree(place / "runs" / "wrong", ignore_errors=True)
    assert answer.code == 2
    assert answer.err.count("\n") == 1, answer.err
    assert sentence in answer.err
    assert not kept


def test_the_habits_of_others_are_understood(ganlit: Any, place: Path) -> None:
    answer = ganlit("fit", "--config", "tiny.yaml", "--wandb=None", "--fidelity", "None", "--trainer.strategy=ddp",
                    "--name=habits", "--kimg=0.032")  # fmt: skip
    assert answer.code == 0, answer.err
    record = yaml.safe_load((place / "runs/habits/config.yaml").read_text())
    assert (record["wandb"], record["fidelity"], record["trainer"]["strategy"]) == (None, None, "auto")


def test_a_run_goes_on_from_its_record_wherever_that_is_typed(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ganlit: Any
) -> None:
    record = trained.resolve() / "config.yaml"
    config = yaml.safe_load(record.read_text())
    config["data"]["init_args"]["source"] = str(Path("squares").resolve())
    record.write_text(yaml.safe_dump(config))
    monkeypatch.chdir(tmp_path)
    answer = ganlit("fit", "--config", str(record), "--resume")
    assert answer.code == 0
    assert f"{record.parent} is done" in answer.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("left", [["best.ckpt"], ["ema.safetensors"], ["best.ckpt", "ema.safetensors"], []])
def test_what_a_run_has_left_is_not_overwritten(trained: Path, ganlit: Any, left: list[str]) -> None:
    rest = Path("runs") / "rest"
    shutil.rmtree(rest, ignore_errors=True)
    (rest / "checkpoints").mkdir(parents=True)
    shutil.copy(trained / "overview.png", rest)
    for name in left:
        shutil.copy(
            trained / "checkpoints" / ("last.ckpt" if name.endswith("ckpt") else name), rest / "checkpoints" / name
        )
    before = {path: path.read_bytes() for path in rest.rglob("*") if path.is_file()}
    for resume in ([], ["--resume"]):
        answer = ganlit(*FIT, "--name=rest", *resume)
        assert answer.code == 2
        assert "holds what a run has left (" in answer.err
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda state: state.update(images_seen="many"), "says images_seen: 'many', so it is no state of a run"),
        (lambda state: state.update(images_seen=-1), "says images_seen: -1"),
        (lambda state: state.pop("images_seen"), "says images_seen: None"),
        (lambda state: state.pop("optimizer_states"), "has not what both optimizers remember"),
        (lambda state: state.update(optimizer_states=[]), "has not what both optimizers remember"),
        (lambda state: state.update(skipped=3), "says skipped: 3, so it is damaged"),
        (lambda state: state.update(branch="x"), "says branch: 'x', so it is damaged"),
    ],
)
def test_a_checkpoint_of_other_content_is_refused(trained: Path, ganlit: Any, change: Any, sentence: str) -> None:
    path = Path("runs/hurt/checkpoints/last.ckpt")
    shutil.rmtree("runs/hurt", ignore_errors=True)
    path.parent.mkdir(parents=True)
    state = durable.load(trained / "checkpoints" / "last.ckpt")
    change(state)
    torch.save(state, path)
    answer = ganlit(*FIT, "--name=hurt", "--resume", "--kimg=0.2")
    assert answer.code == 2
    assert sentence in answer.err
    assert answer.err.count("\n") == 1, answer.err


def test_nothing_is_called_done_without_its_checkpoint(
    ganlit: Any, monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    monkeypatch.setattr(Checkpoints, "save", lambda *_: False)  # as of weights that are not finite
    answer = ganlit(*FIT, "--name=unsaved", "--kimg=0.032")
    assert answer.code == 2
    assert "runs/unsaved has no checkpoint of its end, at 0.04 kimg" in answer.err
    assert '"phase": "failed"' in (place / "runs/unsaved/state.json").read_text()
    assert not (place / "runs/unsaved/checkpoints/ema.safetensors").exists()


def test_a_schedule_that_is_over_before_the_run_is_told(ganlit: Any) -> None:
    words = ["--trainer.callbacks+=Anneal", "--trainer.callbacks.end=0.016", "--name=over", "--kimg=0.064"]
    assert "is over at 0.016 of 0.064 kimg: lr stays at 0 from there on" in ganlit(*FIT, *words).out


def test_what_is_not_ours_is_not_overwritten(ganlit: Any, place: Path) -> None:
    mine = place / "runs" / "mine"
    (mine / "samples").mkdir(parents=True)
    (mine / "config.yaml").write_text("mine")
    (mine / "samples" / "real.png").write_text("mine")
    answer = ganlit(*FIT, "--name=mine")
    assert answer.code == 2
    assert "runs/mine holds what a run has left (config.yaml, samples)" in answer.err
    assert {path.read_text() for path in mine.rglob("*") if path.is_file() and path.name != "lock"} == {"mine"}


@pytest.mark.parametrize("make", [lambda lock, mine: lock.symlink_to(mine), lambda lock, mine: os.mkfifo(lock)])
def test_a_lock_that_is_no_file_is_not_followed(ganlit: Any, place: Path, make: Any) -> None:
    mine, folder = place / "precious", place / "runs" / "locked"
    mine.write_text("mine")
    folder.mkdir(parents=True)
    make(folder / "lock", mine)
    answer = ganlit(*FIT, "--name=locked")
    shutil.rmtree(folder)
    assert answer.code == 2
    assert "runs/locked cannot be written (" in answer.err
    assert mine.read_text() == "mine"


def test_a_checkpoint_at_its_end_needs_a_longer_run(trained: Path, ganlit: Any) -> None:
    path = trained / "checkpoints" / "last.ckpt"
    answer = ganlit(*FIT, "--name=again", "--ckpt_path", str(path))
    assert answer.code == 2
    assert f"{path} is at 0.08 kimg already: raise --kimg above that" in answer.err
