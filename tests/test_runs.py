from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import ganlit
from ganlit.contracts import Labelled
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.networks.stylegan import StyleDiscriminator, StyleGenerator
from ganlit.runs import build, claim, last_checkpoint, load, whole
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
            "generator": {"class_path": "ganlit.networks.stylegan.StyleGenerator", "init_args": NETWORK | LATENT},
            "discriminator": {"class_path": "ganlit.networks.stylegan.StyleDiscriminator", "init_args": NETWORK},
            "loss": {"class_path": "ganlit.losses.adversarial.NonSaturating"},
            "generator_optimizer": ADAM,
            "discriminator_optimizer": ADAM,
        },
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


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda run: os.remove(run / "config.yaml"), "is not a run directory: it has no config.yaml"),
        (lambda run: (run / "config.yaml").write_text("seed: 3"), "config.yaml does not describe a model"),
        (lambda run: (run / "config.yaml").write_text("- 3"), "config.yaml does not describe a model"),
        (lambda run: (run / "config.yaml").write_text("model: {class_path: Nothing}"), "does not describe a model"),
        (lambda run: os.remove(run / "checkpoints" / "last.ckpt"), "last.ckpt does not exist"),
        (
            lambda run: os.truncate(run / "checkpoints" / "last.ckpt", 5000),
            "last.ckpt is not a checkpoint, or is damaged",
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
    with pytest.raises(UserError, match=r"last.ckpt does not fit config.yaml: .*size mismatch"):
        load(run)


def test_build_gives_an_untrained_module(run: Path) -> None:
    assert build(run / "config.yaml").images_seen == 0


def test_a_directory_is_claimed_once(run: Path, tmp_path: Path) -> None:
    claim(tmp_path / "runs" / "new", None)
    with pytest.raises(UserError, match="already holds a run: give another --name, or go on with it by --ckpt_path"):
        claim(run, None)
    claim(run, str(run / "checkpoints" / "last.ckpt"))
    claim(run, str(run / "checkpoints" / "best.ckpt"))
    with pytest.raises(UserError, match="already holds a run"):
        claim(run, str(tmp_path / "runs" / "other" / "checkpoints" / "last.ckpt"))


def test_what_a_kill_left_before_the_first_checkpoint_is_no_run(run: Path) -> None:
    os.remove(run / "checkpoints" / "last.ckpt")
    claim(run, None)
    with pytest.raises(UserError, match="holds no trained run"):
        last_checkpoint(run)


def test_the_last_checkpoint_is_found(run: Path) -> None:
    assert last_checkpoint(run) == whole(run / "checkpoints" / "last.ckpt")


def test_importing_the_package_alone_costs_nothing() -> None:
    code = "import sys, ganlit; assert 'torch' not in sys.modules; assert not hasattr(ganlit, 'no_such_name')"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
