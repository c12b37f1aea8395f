"""A run small enough for a test: eight-pixel tiles through the smallest DCGAN, with scores that are made up."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from noises import Noises
from scripted import Scripted

from ganlit.callbacks.budget import Budget
from ganlit.callbacks.checkpoint import DurableIO
from ganlit.callbacks.progress import Progress
from ganlit.losses.adversarial import NonSaturating
from ganlit.networks.images.dcgan import DCDiscriminator, DCGenerator
from ganlit.tasks.base import AdversarialModule
from ganlit.tasks.synthesis import Synthesis

BATCH = 100


def make_module() -> Synthesis:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.99))
    return Synthesis(
        DCGenerator(8, channels=1, z_dim=4, width=4),
        DCDiscriminator(8, channels=1, width=4),
        NonSaturating(),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
    )


class Run(NamedTuple):
    module: AdversarialModule
    data: Noises
    trainer: Trainer


def play(
    folder: Path,
    kimg: float,
    *callbacks: Callback,
    ckpt_path: Path | None = None,
    module: AdversarialModule | None = None,
    data: type[Noises] = Noises,
    **options: Any,
) -> Run:
    """Trains a fresh module in a run directory, with the callbacks beside a budget."""
    quiet = {"logger": False, "enable_checkpointing": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
    quiet["enable_progress_bar"] = any(isinstance(callback, Progress) for callback in callbacks)
    run = Run(
        module or make_module(),
        data(count=120, side=8, batch=BATCH, tick=4 * BATCH / 1000, val_images=2 * BATCH, test_images=2 * BATCH),
        Trainer(
            accelerator="cpu",
            max_epochs=-1,
            use_distributed_sampler=False,
            default_root_dir=folder,
            callbacks=[Budget(kimg), *callbacks],
            plugins=[DurableIO()],
            **(quiet | options),
        ),
    )
    run.trainer.fit(run.module, run.data, ckpt_path=ckpt_path)
    return run


@pytest.fixture
def fit(tmp_path: Path) -> Callable[..., Run]:
    return partial(play, tmp_path)


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted
