"""Runs that react to an alarm, and trials of which one is ended early: what each rank has done, and then holds."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from agreement import held
from faulty import Grey
from games import RANK, WORLD, trainer_of
from lightning.pytorch import Callback, Trainer
from noises import Noises
from scripted import Scripted

from ganlit.augment.adaptive import ADA
from ganlit.callbacks.alarms import RECORD, Alarms
from ganlit.callbacks.budget import Budget
from ganlit.callbacks.checkpoint import Checkpoints, DurableIO
from ganlit.callbacks.early_termination import EarlyTermination
from ganlit.callbacks.fidelity import Fidelity
from ganlit.callbacks.loggers.metrics_file import MetricsFile
from ganlit.callbacks.reactions import GoBack, Raise, Reaction, Slow, Stop, Strengthen
from ganlit.callbacks.signals import Signals
from ganlit.contracts import Labelled, Sampled
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.regularizers.gradient import R1
from ganlit.metrics.images import backbones
from ganlit.metrics.pruning import EarlyTerminate
from ganlit.networks.images.dcgan import DCDiscriminator, DCGenerator
from ganlit.tasks.synthesis import Synthesis

BATCH, TICK, END = 24, 0.048, 0.48
RUINED = (4.0, 4.0, 4.0, 20.0, 20.0)  # which the detector calls a divergence at the fifth validation
FOLDER = Path(os.environ.get("SCRATCH", "")) / "reacting" / str(WORLD)


class Darker(Synthesis):
    """What it makes is the real items, darker by a shade."""

    shade = 0.0

    def sample(self, batch: Labelled) -> Sampled:
        return Sampled(batch.item, batch.item - self.shade)


class Steps(Callback):
    """By branch and clock, which items this rank was given."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, int, list[float]]] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: Synthesis, _: Any, batch: Labelled, *__: Any) -> None:
        items = batch.item.double().sum((1, 2, 3)).tolist()
        self.taken.append((pl_module.branch, pl_module.images_seen, items))


def module(kind: type[Synthesis] = Synthesis) -> Synthesis:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.99))
    return kind(
        DCGenerator(8, channels=1, z_dim=4, width=4),
        DCDiscriminator(8, channels=1, width=4),
        NonSaturating(),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        regularizers=[R1(1.0, every=2)],
        augment=ADA(target=None),
    )


def fit(folder: Path, player: Synthesis, kimg: float, *callbacks: Callback) -> dict[str, Any]:
    """Trains, and tells how that went."""
    steps, alarms = Steps(), next((each for each in callbacks if isinstance(each, Alarms)), None)
    trainer = trainer_of(
        max_epochs=-1,
        num_sanity_val_steps=0,
        default_root_dir=folder,
        callbacks=[Budget(kimg), steps, *callbacks],
        logger=MetricsFile(folder / "metrics.csv"),
        plugins=[DurableIO()],
    )
    sizes = {"batch": BATCH, "tick": TICK, "val_images": 2 * BATCH, "test_images": 2 * BATCH}
    trainer.fit(player, Noises(count=120, side=8, **sizes))
    written = folder / RECORD
    return {
        "held": held(player, trainer),
        "taken": steps.taken,
        "events": [] if alarms is None else alarms.events,
        "written": written.read_text().splitlines() if written.exists() else [],
        "adjusted": player.adjusted,
        "weight": player.regularizers[0].scale,
        "rates": [each.param_groups[0]["lr"] for each in trainer.optimizers],
        "ended": (player.kimg, player.ended, player.outcome),
    }


def reacting(name: str, *reactions: Reaction) -> dict[str, Any]:
    """A run whose score is ruined, and, where it goes back, is so again; the best checkpoint comes to one rank late."""
    scores = Scripted(*RUINED, *RUINED[1:], *[4.0] * 9)
    alarms = Alarms(reactions={"divergence": [*reactions]})
    exists = Path.exists
    with patch.object(Path, "exists", lambda path: exists(path) and (RANK == 0 or path.name != "best.ckpt")):
        return fit(FOLDER / name, module(Darker), END, scores, Signals(), alarms, Checkpoints("", scores))


def trial(number: str, shade: float) -> dict[str, Any]:
    player = module(Darker)
    player.shade = shade
    rule = EarlyTermination(EarlyTerminate("fid", min_iter=2))
    with patch.object(backbones, "Inception", Grey):
        return fit(FOLDER / "trials" / number, player, 4 * TICK, Fidelity(["fid"]), rule)


def found() -> dict[str, Any]:
    going_back = Slow("discriminator"), Raise(factor=4.0), Strengthen(by=0.2), GoBack(attempts=1)
    return {
        "back": reacting("back", *going_back),
        "stop": reacting("stop", Stop()),
        "first": trial("0001", 0.1),
        "second": trial("0002", 0.5),
    }
