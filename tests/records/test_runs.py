from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import ganlit
from ganlit.configuration.rebuild import build, load
from ganlit.contracts import Labelled
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator
from ganlit.records.durable import PARTIAL, write_weights
from ganlit.records.runs import claim, last_checkpoint, locked
from ganlit.studies.evaluation.generate import generate
from ganlit.tasks.synthesis import Synthesis

NETWORK = {"resolution": 16, "channels": 1, "classes": 2, "channel_base": 64, "channel_max": 4}
LATENT = {"z_dim": 4, "w_dim": 4, "mapping_depth": 1}
ADAM = {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.001}}
CONFIG = {
    "name": "squares",
    "seed": 7,
    "model": {
        "class_path": "ganlit.tasks.synthesis.Synthesis",
        "init_args": {
            "generator": {
                "class_path": "ganlit.networks.images.stylegan.StyleGenerator",
                "init_args": NETWORK | LATENT,
            },
            "discriminator": {"class_path": "ganlit.networks.images.stylegan.StyleDiscriminator", "init_args": NETWORK},
            "loss": {"class_path": "ganlit.losses.adversarial.NonSaturating"},
            "generator_optimizer": ADAM,
            "discriminator_optimizer": ADAM,
        },
    },
    "data": {
        "class_path": "ganlit.data.images.images.Images",
        "init_args": {"source": "digits", "resolution": 16, "channels": 1},
    },
}


@pytest.fixture
def module() -> Synthesis:
    """A module whose average differs from its generator."""
    torch.manual_seed(1)
    adam = partial(torch.optim.Adam, lr=0.001)
    made = Synthesis(StyleGenerator(**NETWORK, **LATENT), StyleDiscriminator(**NETWORK), NonSaturating(), adam, adam)
    for parameter in made.ema.parameters():
        parameter.add_(0.1)
    return made


@pytest.fixture
def run(module: Synthesis, tmp_path: Path) -> Path:
    """The directory of a run in which this module is the best and another one the last."""
    folder = tmp_path / "runs" / "squares"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    for name, images_seen in {"best": 400, "last": 1200}.items():
        state = {"state_dict": module.state_dict(), "images_seen": images_seen}
        torch.save(state, folder / "checkpoints" / f"{name}.ckpt")
    return folder


fork = multiprocessing.get_context("fork")


def drawn(module: Synthesis) -> torch.Tensor:
    torch.manual_seed(5)
    return module.sample(Labelled(torch.zeros(4, 1, 16, 16), torch.tensor([0, 1, 0, 1]))).output


def test_a_run_comes_back_as_it_was(run: Path, module: Synthesis) -> None:
    loaded = load(run)
    assert torch.equal(drawn(loaded), drawn(module.eval()))
    assert not loaded.training
    assert (loaded.images_seen, loaded.seed) == (1200, 7)
    assert load(str(run), "best").images_seen == 400
    assert ganlit.load is load


def test_the_checkpoint_before_a_damaged_one_is_loaded_with_a_line(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints = run / "checkpoints"
    os.rename(checkpoints / "best.ckpt", checkpoints / "previous.ckpt")
    os.truncate(checkpoints / "last.ckpt", 5000)
    assert load(run).images_seen == 400
    assert "previous.ckpt, of the save before it, is used instead" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"best.ckpt does not exist"):
        load(run, "best")


@pytest.fixture
def exported(module: Synthesis, tmp_path: Path) -> Path:
    """The averaged generator of a run, alone in a folder."""
    path = tmp_path / "exported" / "ema.safetensors"
    write_weights(module.ema.module, yaml.safe_dump(CONFIG), 1200, path)
    return path


def test_a_generator_comes_back_from_its_weights_alone(exported: Path, module: Synthesis) -> None:
    loaded = load(exported)
    assert torch.equal(drawn(loaded), drawn(module.eval()))
    assert (loaded.images_seen, loaded.seed, loaded.training) == (1200, 7, False)
    for name, weight in loaded.generator.state_dict().items():
        assert torch.equal(weight, loaded.ema.module.state_dict()[name])


def test_images_are_generated_from_weights_alone(exported: Path, run: Path) -> None:
    generate(str(exported), count=3)
    generate(str(run), count=3)
    for name in ("000000.png", "000001.png", "000002.png"):
        assert (exported.parent / "generated" / name).read_bytes() == (run / "generated" / name).read_bytes()


def test_weights_of_other_networks_are_refused(exported: Path, module: Synthesis) -> None:
    write_weights(module.discriminator, yaml.safe_dump(CONFIG), 1200, exported)
    with pytest.raises(UserError, match=r"ema.safetensors does not fit the configuration in it: ") as told:
        load(exported)
    assert "\n" not in str(told.value)
    write_weights(module.ema.module, "seed: 3", 1200, exported)
    with pytest.raises(UserError, match=r"ema.safetensors does not describe a model"):
        load(exported)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda run: os.remove(run / "config.yaml"), "is not a run directory: it has no config.yaml"),
        (lambda run: (run / "config.yaml").write_text("seed: 3"), "config.yaml does not describe a model"),
        (lambda run: (run / "config.yaml").write_text("- 3"), "config.yaml is no mapping in YAML"),
        (lambda run: (run / "config.yaml").write_text("model: {class_path: Nothing}"), "does not describe a model"),
        (lambda run: os.remove(run / "checkpoints" / "last.ckpt"), "holds no trained run: train it first"),
        (
            lambda run: os.truncate(run / "checkpoints" / "last.ckpt", 5000),
            "last.ckpt is damaged .*, and previous.ckpt does not exist",
        ),
    ],
)
def test_what_is_not_a_run_is_refused(run: Path, damage: Any, words: str) -> None:
    damage(run)
    with pytest.raises(UserError, match=words) as caught:
        load(run)
    assert str(run) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_other_networks_is_refused(run: Path) -> None:
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["model"]["init_args"]["generator"]["init_args"]["z_dim"] = 6
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(UserError, match=r"last.ckpt does not fit .*/config.yaml: .*size mismatch"):
        load(run)


def test_build_gives_an_untrained_module(run: Path) -> None:
    path = run / "config.yaml"
    assert build(path.read_text(), path).images_seen == 0


def test_a_directory_is_claimed_once(run: Path, tmp_path: Path) -> None:
    claim(tmp_path / "runs" / "new", None)
    with pytest.raises(UserError, match="already holds a run: give another --name, or go on with it by --resume"):
        claim(run, None)
    claim(run, str(run / "checkpoints" / "last.ckpt"))
    claim(run, str(run / "checkpoints" / "best.ckpt"))
    with pytest.raises(UserError, match="already holds a run"):
        claim(run, str(tmp_path / "runs" / "other" / "checkpoints" / "last.ckpt"))


def test_what_a_kill_left_before_the_first_checkpoint_is_no_run(run: Path) -> None:
    os.rename(run / "checkpoints" / "last.ckpt", run / "checkpoints" / "previous.ckpt")
    with pytest.raises(UserError, match="already holds a run"):
        claim(run, None)
    os.remove(run / "checkpoints" / "previous.ckpt")
    with pytest.raises(UserError, match=r"holds what a run has left \(best.ckpt.*no checkpoint to go on from"):
        claim(run, None)
    for path in (*(run / "checkpoints").iterdir(), run / "overview.png"):
        path.unlink(missing_ok=True)
    with pytest.raises(UserError, match=r"holds what a run has left \(config.yaml\)"):
        claim(run, None)
    (run / "state.json").touch()
    claim(run, None)
    with pytest.raises(UserError, match="holds no trained run"):
        last_checkpoint(run)


def test_the_last_checkpoint_is_found(run: Path) -> None:
    assert last_checkpoint(run) == run / "checkpoints" / "last.ckpt"


def train(folder: Path, started: Connection) -> None:
    """A run that never ends, with a data worker and a program of its own."""
    with locked(folder):
        worker = fork.Process(target=time.sleep, args=(60,))
        worker.start()
        program = subprocess.Popen(["sleep", "60"], close_fds=False)
        started.send((worker.pid, program.pid))
        time.sleep(60)


def test_a_second_run_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "squares"
    receiver, sender = fork.Pipe(duplex=False)
    first = fork.Process(target=train, args=(folder, sender))
    first.start()
    children = receiver.recv()
    try:
        with pytest.raises(UserError) as told, locked(folder):
            pass
        start = f"{folder} is in use by process {first.pid} on {socket.gethostname()} since 20"
        assert str(told.value).startswith(start)
        with locked(tmp_path / "runs" / "other"):
            first.kill()
            first.join()
            with locked(folder):  # although its children live on
                assert [os.kill(pid, 0) for pid in children] == [None, None]
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)


def test_a_process_locks_one_run_after_another(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path):
            with pytest.raises(UserError, match=f"in use by process {os.getpid()} on"), locked(tmp_path):
                pass
            with pytest.raises(UserError, match="in use by"), locked(tmp_path):  # a refusal frees nothing
                pass


def test_the_lock_sweeps_what_a_kill_left(tmp_path: Path) -> None:
    left = [tmp_path / room / f".file.1-00{PARTIAL}" for room in ("", "checkpoints", "samples")]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with locked(tmp_path):
        assert not any(path.exists() for path in left)


def test_a_filesystem_without_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*args: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path):
        assert "no lock on this filesystem (No locks available)" in capsys.readouterr().out


def test_a_directory_that_nobody_can_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="file/run cannot be written"), locked(tmp_path / "file" / "run"):
        pass


def test_importing_the_package_alone_costs_nothing() -> None:
    code = "import sys, ganlit; assert 'torch' not in sys.modules; assert not hasattr(ganlit, 'no_such_name')"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
