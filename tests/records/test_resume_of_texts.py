"""A game of texts that is interrupted and resumed is the one that never was, with all that its estimator remembers."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from letters import SIZES, Letters, game
from lightning.pytorch import Callback, Trainer
from remains import Kill, Killed, same

from ganlit.callbacks.budget import Budget
from ganlit.callbacks.checkpoint import Checkpoints, DurableIO
from ganlit.callbacks.fidelity import Fidelity
from ganlit.callbacks.loggers.metrics_file import MetricsFile
from ganlit.callbacks.recovery import Recovery
from ganlit.cli.lab import Lab
from ganlit.losses.text.baselines import LearnedBaseline, MovingBaseline
from ganlit.losses.text.policy import PolicyGradient
from ganlit.losses.text.relaxation import GumbelSoftmax, Temperature
from ganlit.losses.weight import Weight
from ganlit.networks.text.lstm import LSTMGenerator
from ganlit.networks.text.relgan import RelGANDiscriminator
from ganlit.networks.text.textcnn import TextCNN
from ganlit.networks.text.transformer import TransformerGenerator
from ganlit.networks.text.valued import Valued
from ganlit.tasks.sequence import Sequence

BATCH, TICK, END = 8, 32, 96  # texts

PARTS: dict[str, Any] = {
    "roll-outs": lambda: {
        "generator": LSTMGenerator(**SIZES, width=4, hidden=5, layers=2, dropout=0.2),
        "estimator": PolicyGradient(rollouts=2, baseline=MovingBaseline()),
    },
    "learned baseline": lambda: {
        "generator": Valued(TransformerGenerator(**SIZES, width=8, layers=1, heads=2), width=3, hidden=3),
        "estimator": PolicyGradient(rollouts=0, baseline=LearnedBaseline()),
    },
    "gumbel": lambda: {
        "discriminator": RelGANDiscriminator(**SIZES, representations=2, filters=[3] * 4),
        "estimator": GumbelSoftmax(Temperature(end=END / 1000)),
    },
}


def full(name: str) -> Sequence:
    """Likelihood, then the discriminator alone, then both, with dropout in either."""
    torch.manual_seed(11)
    adam = partial(torch.optim.Adam, lr=1e-2)
    return game(
        **{
            "discriminator": TextCNN(**SIZES, width=4, filters=[3] * 6),
            "likelihood": Weight(1.0, end=0.032),
            "adversarial": Weight(1.0, start=0.04, lead=0.016),
            "generator_optimizer": adam,
            "discriminator_optimizer": adam,
            "n_critic": 2,
            "accumulate": 2,
            "generator_clip": 0.5,
            **PARTS[name](),
        }
    )


class Silent(Fidelity):
    """Measures nothing."""

    def setup(self, trainer: Trainer, pl_module: Sequence, stage: str) -> None: ...

    def on_validation_epoch_start(self, *_: Any) -> None: ...

    def on_validation_batch_end(self, *_: Any) -> None: ...

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: Sequence) -> None: ...


class Stream(Callback):
    """Where torch's random stream is after each step: roll-outs, noise and dropout have moved it."""

    def __init__(self) -> None:
        self.seen: dict[int, Any] = {}

    def on_train_batch_end(self, trainer: Trainer, pl_module: Sequence, *_: Any) -> None:
        self.seen[pl_module.images_seen] = torch.get_rng_state()


class Ended(NamedTuple):
    state: dict[str, Any]
    stream: dict[int, Any]
    rows: str


def play(folder: Path, name: str, *kill: Kill, resume: bool = False, stream: Stream | None = None) -> Ended:
    judge, stream = Silent(), stream or Stream()
    trainer = Lab(
        accelerator="cpu",
        max_epochs=-1,
        log_every_n_steps=1,
        default_root_dir=folder,
        callbacks=[Budget(END / 1000), Recovery(), judge, stream, *kill, Checkpoints("", judge)],
        plugins=[DurableIO()],
        logger=MetricsFile(folder / "metrics.csv"),
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        **dict.fromkeys(("enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False),
    )
    module = full(name)
    last = folder / "checkpoints" / "last.ckpt"
    data = Letters(batch=BATCH, tick=TICK / 1000, val_images=2 * BATCH)
    trainer.fit(module, data, ckpt_path=last if resume else None)
    optimizers = [optimizer.state_dict() for optimizer in trainer.optimizers]
    state = {"module": dict(module.state_dict()), "optimizers": optimizers, "images_seen": module.images_seen}
    return Ended(copy.deepcopy(state), stream.seen, (folder / "metrics.csv").read_text())


@pytest.fixture(scope="module", params=PARTS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def untouched(name: str, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return play(tmp_path_factory.mktemp("untouched"), name)


@pytest.mark.parametrize(
    "kill",
    [
        Kill(24, "on_train_batch_start", save=True),
        Kill(40, "on_train_batch_start", save=True),
        Kill(72, "on_train_batch_start", save=True),
        Kill(72, "on_train_batch_start"),
        Kill(64, "on_validation_batch_start"),
    ],
    ids=["in the likelihood", "as the discriminator leads", "in both", "between two checkpoints", "in a validation"],
)
def test_a_resumed_game_equals_one_that_was_never_stopped(
    name: str, untouched: Ended, kill: Kill, tmp_path: Path
) -> None:
    first = Stream()
    with pytest.raises(Killed):
        play(tmp_path, name, kill, stream=first)
    resumed = play(tmp_path, name, resume=True)
    assert same(resumed.state, untouched.state)
    assert same({**first.seen, **resumed.stream}, untouched.stream)
    assert resumed.rows == untouched.rows


def test_all_of_that_state_is_at_work(name: str, untouched: Ended) -> None:
    fresh = full(name).state_dict()
    kept = {key for key, value in untouched.state["module"].items() if torch.equal(value, fresh[key])}
    assert kept <= {"estimator.baseline.total", "estimator.baseline.count"}  # empty between two steps
    assert untouched.state["images_seen"] == END
