"""Schedules: closed forms, and what governs a real training."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from ganlit.augment.base import Augment
from ganlit.augment.diffaugment import DiffAugment
from ganlit.callbacks.anneal import Anneal
from ganlit.errors import UserError
from ganlit.losses.regularizers.gradient import R1

CONFIGURED = {
    "discriminator/lr": 1e-3,
    "generator/lr": 1e-3,
    "discriminator/beta2": 0.99,
    "generator/beta2": 0.99,
    "r1/gamma": 0.3,
    "ema/half_life": 10.0,
    "strength/p": 0.75,
}


class Strength(Augment):
    """Changes nothing, however strongly."""

    p: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("p", torch.tensor(0.75))

    def forward(self, images: Tensor) -> Tensor:
        return images


class Furnish(Callback):
    """Gives the module of the tests something to schedule."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        pl_module.regularizers.append(R1(weight=0.3))
        pl_module.augment = Strength()


class Notes(Callback):
    """Writes down what governed each step, and keeps a checkpoint of each tick."""

    def __init__(self) -> None:
        self.steps: list[dict[str, float]] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        groups = [optimizer.param_groups[0] for optimizer in trainer.optimizers]
        values = [group["lr"] for group in groups] + [group["betas"][1] for group in groups]
        values += [pl_module.regularizers[0].weight, pl_module.ema.half_life, pl_module.augment.p.item()]
        self.steps.append(dict(zip(CONFIGURED, values, strict=True)))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        trainer.save_checkpoint(Path(trainer.default_root_dir) / "tick.ckpt", weights_only=False)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("linear", [0.8, 0.8, 0.65, 0.5, 0.2, 0.2]),
        ("cosine", [0.8, 0.8, 0.2 + 0.6 * (2 + math.sqrt(2)) / 4, 0.5, 0.2, 0.2]),
        ("exponential", [0.8, 0.8, 0.4 * math.sqrt(2), 0.4, 0.2, 0.2]),
        ("step", [0.8, 0.8, 0.2, 0.2, 0.2, 0.2]),
    ],
)
def test_a_shape_at_the_beginning_at_a_quarter_at_half_at_the_end_and_beyond(shape: str, expected: list[float]) -> None:
    anneal = Anneal(80, to=0.2, share=0.25, shape=shape)
    assert [anneal.value(kimg, base=0.8) for kimg in (0, 60, 65, 70, 80, 100)] == pytest.approx(expected)


@given(
    base=st.floats(0, 1e3),
    to=st.floats(0, 1e3),
    end=st.floats(1e-3, 1e5),
    share=st.floats(1e-2, 1),
    shape=st.sampled_from(["linear", "cosine", "step"]),
    way=st.floats(0, 1),
)
def test_both_ends_are_exact_and_all_else_lies_between(
    base: float, to: float, end: float, share: float, shape: str, way: float
) -> None:
    value = partial(Anneal(end, to=to, share=share, shape=shape).value, base=base)
    assert (value(0.0), value(end), value(2 * end)) == (base, to, to)
    slack = 1e-12 * max(base, to)
    assert min(base, to) - slack <= value(way * end) <= max(base, to) + slack


@given(kimg=st.floats(0, 79), step=st.floats(0.1, 1), to=st.floats(1e-6, 1))
def test_an_exponential_falls_by_one_factor_each_kimg(kimg: float, step: float, to: float) -> None:
    """HiFi-GAN's 0.999 an epoch, in kimg."""
    anneal = Anneal(80, to=to, share=1.0, shape="exponential")
    assert (anneal.value(0, 0.5), anneal.value(80, 0.5)) == (0.5, to)
    factor = anneal.value(kimg + step, 0.5) / anneal.value(kimg, 0.5)
    assert factor == pytest.approx((to / 0.5) ** (step / 80))


def test_no_factor_leads_to_nothing() -> None:
    with pytest.raises(UserError, match=r"Anneal\.to is 0, which no factor leads to"):
        Anneal(80, shape="exponential")


@given(kimg=st.floats(0, 150), lr=st.sampled_from([0.003, 0.006]) | st.floats(1e-6, 1))
def test_a_rate_that_falls_to_zero_is_the_rate_times_what_is_left(kimg: float, lr: float) -> None:
    """Bit for bit: the numbers of stylegan_lite were measured so."""
    assert Anneal(120, share=0.8).value(kimg, lr) == lr * min(1.0, max(0.0, (120 - kimg) / (120 * 0.8)))


@pytest.mark.parametrize(
    ("anneal", "governed"),
    [
        (partial(Anneal, what="lr"), ["discriminator/lr", "generator/lr"]),
        (partial(Anneal, what="lr", player="generator"), ["generator/lr"]),
        (partial(Anneal, what="beta2"), ["discriminator/beta2", "generator/beta2"]),
        (partial(Anneal, what="beta2", player="discriminator"), ["discriminator/beta2"]),
        (partial(Anneal, what="gamma"), ["r1/gamma"]),
        (partial(Anneal, what="half_life"), ["ema/half_life"]),
        (partial(Anneal, what="p"), ["strength/p"]),
    ],
)
def test_a_schedule_governs_its_quantity_and_no_other(
    fit: Any, anneal: Callable[..., Anneal], governed: list[str]
) -> None:
    notes = Notes()
    run = fit(0.5, Furnish(), anneal(end=0.4, to=0.25, share=0.5), notes, log_every_n_steps=1)
    for name, base in CONFIGURED.items():
        expected = [base, base, base, (base + 0.25) / 2, 0.25] if name in governed else [base] * 5
        assert [step[name] for step in notes.steps] == pytest.approx(expected), name
    assert all(optimizer.param_groups[0]["betas"][0] == 0.5 for optimizer in run.trainer.optimizers)
    logged = {name: value for name, value in run.trainer.callback_metrics.items() if name.startswith("schedule/")}
    assert logged == {f"schedule/{name}": torch.tensor(0.25) for name in governed}


def everything() -> list[Anneal]:
    shared = {"end": 1.0, "to": 0.2, "share": 0.8}
    rates = [Anneal(1.0, share=0.8, player="generator"), Anneal(0.9, to=1e-4, shape="cosine", player="discriminator")]
    return [*rates, *(Anneal(what=what, shape="cosine", **shared) for what in ("beta2", "gamma", "half_life", "p"))]


@pytest.mark.parametrize("stop", [0.4, 0.8])
def test_a_resumed_run_has_the_values_of_one_that_was_never_stopped(fit: Any, tmp_path: Path, stop: float) -> None:
    whole, first, rest = Notes(), Notes(), Notes()
    fit(1.2, Furnish(), *everything(), whole)
    fit(stop, Furnish(), *everything(), first)
    fit(1.2, Furnish(), *everything(), rest, ckpt_path=tmp_path / "tick.ckpt")
    assert first.steps + rest.steps == whole.steps
    assert all(whole.steps[0][name] != whole.steps[-1][name] for name in CONFIGURED)


def test_a_resumed_run_takes_its_schedule_from_its_own_configuration(fit: Any, tmp_path: Path) -> None:
    fit(0.4, Furnish(), Anneal(0.4, "p", to=0.1, share=1.0), Notes())
    notes = Notes()
    fit(0.5, Furnish(), Anneal(0.8, "p", to=0.25, share=1.0), notes, ckpt_path=tmp_path / "tick.ckpt")
    assert notes.steps[0]["strength/p"] == 0.5


def test_a_module_is_left_as_it_was_configured(fit: Any) -> None:
    run = fit(0.4, Furnish(), *everything())
    found = run.module.regularizers[0].weight, run.module.ema.half_life, run.module.augment.p.item()
    assert found == (0.3, 10.0, 0.75)


def test_measuring_needs_no_schedule(fit: Any) -> None:
    run = fit(0.1, Furnish())
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, callbacks=everything())
    trainer.validate(run.module, run.data, verbose=False)
    assert run.module.regularizers[0].weight == 0.3


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"end": 0.0}, "end is 0.0"),
        ({"end": -3.0}, "end is -3.0"),
        ({"end": math.nan}, "end is nan"),
        ({"share": 0.0}, "share is 0.0"),
        ({"share": 1.5}, "share is 1.5"),
        ({"to": -0.1}, "to is -0.1"),
        ({"to": math.inf}, "to is inf"),
        ({"what": "beta2", "to": 1.0}, "to is 1.0"),
        ({"what": "p", "to": 1.5}, "to is 1.5"),
        ({"what": "gamma", "player": "generator"}, "player is generator, but gamma"),
    ],
)
def test_what_makes_no_schedule_is_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Anneal(**{"end": 10.0, **options})


def plain_descent(trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
    pl_module.optimizer_factories["generator"] = partial(torch.optim.SGD, lr=0.1)


def fixed_augment(trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
    pl_module.augment = DiffAugment("translation")


def no_regularizers(trainer: Trainer, pl_module: LightningModule, stage: str) -> None: ...


@pytest.mark.parametrize(
    ("what", "prepare", "lacking"),
    [
        ("beta2", plain_descent, "generator has none"),
        ("p", fixed_augment, "DiffAugment has none"),
        ("gamma", no_regularizers, "regularizers has none"),
    ],
)
def test_a_quantity_that_is_not_there_is_refused(
    fit: Any, what: str, prepare: Callable[..., None], lacking: str
) -> None:
    first = Callback()
    first.setup = prepare
    with pytest.raises(UserError, match=f"what is {what}, but .*{lacking}"):
        fit(0.1, first, Anneal(1.0, what))


def test_the_other_player_may_do_without_betas(fit: Any) -> None:
    first = Callback()
    first.setup = plain_descent
    fit(0.1, first, Anneal(1.0, "beta2", player="discriminator"))


@pytest.mark.parametrize("player", [None, "generator"])
def test_two_schedules_of_one_quantity_are_refused(fit: Any, player: Any) -> None:
    one, other = Anneal(8.0, player="generator"), Anneal(6.0, to=0.1, player=player)
    with pytest.raises(UserError) as refusal:
        fit(0.1, one, other)
    assert str(one) in str(refusal.value)
    assert str(other) in str(refusal.value)
    assert str(one) != str(other)
