"""Generators that change nothing, make one thing of all, or drift: told when it begins and when it ends."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from noises import Noises, Turned
from remains import Kill, Killed, numbers_of, rows_of, same
from torch import Tensor, nn
from translators import Judge

from ganlit.callbacks.alarms import Alarms
from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.callbacks.loggers.metrics_file import MetricsFile
from ganlit.callbacks.record import Record
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.reconstruction import L1
from ganlit.records.state import Recorder, read
from ganlit.tasks.translation import Translation

TICK = 0.4  # kimg

WAYS = {
    "well": lambda source: source.flip(2),
    "copies": lambda source: source,
    "one": lambda source: torch.zeros_like(source) + 1e-3 * source,
    "bright": lambda source: source.flip(2) + 0.2,
    "dark": lambda source: source.flip(2) - 0.2,
    "broken": lambda source: source * torch.nan,
}


class Fickle(nn.Module):
    """Does with what it is given whatever it is told to; noise is to be turned upside down."""

    classes = 0

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.way = "well"

    def forward(self, source: Tensor, label: Tensor) -> Tensor:
        return WAYS[self.way](source) * self.scale


class Told(Callback):
    """Tells the average what to do in each validation, in the order of the ticks."""

    def __init__(self, *ways: str) -> None:
        self.ways = ways

    def on_validation_start(self, trainer: Trainer, pl_module: Translation) -> None:
        pl_module.ema.module.way = self.ways[round(pl_module.kimg / TICK) - 1]


def translation() -> Translation:
    torch.manual_seed(0)
    frozen = partial(torch.optim.SGD, lr=0.0)
    return Translation(
        generator=Fickle(),
        discriminator=Judge(),
        loss=NonSaturating(),
        criteria=[L1()],
        generator_optimizer=frozen,
        discriminator_optimizer=frozen,
    )


def play(fit: Any, *ways: str, alarms: Alarms | None = None, beside: tuple[Callback, ...] = (), **more: Any) -> Alarms:
    """A training in whose validations the generator does one after the other of these things."""
    alarms = alarms or Alarms()
    more = {"module": translation(), "data": Turned} | more
    fit(len(ways) * TICK, Told(*ways), alarms, Checkpoints(""), *beside, **more)
    return alarms


def test_who_does_well_rings_nothing(fit: Any, tmp_path: Path, capsys: Any) -> None:
    alarms = play(fit, "well", "well", logger=MetricsFile(tmp_path / "metrics.csv"))
    assert (alarms.ringing, alarms.events) == ([], [])
    assert "alarm" not in capsys.readouterr().out
    assert not (tmp_path / "alarms.txt").exists()
    curves = [
        {name: float(row[f"alarm/{name}"]) for name in ("identity", "variety", "drift")} for row in measured(tmp_path)
    ]
    assert curves == [{"identity": 1.0, "variety": 1.0, "drift": 0.0}] * 2


def measured(folder: Path) -> list[dict[str, str]]:
    return [row for row in rows_of(folder) if row.get("alarm/variety")]


@pytest.mark.parametrize(
    ("way", "name", "shows"),
    [
        (
            "copies",
            "identity",
            r"outputs differ from their sources by 0 of what targets do, below 0\.05: the generator",
        ),
        ("one", "variety", r"outputs differ from one another by 0\.001 of what targets do, below 0\.1: the generator"),
        ("bright", "drift", r"the mean of a channel is 25\.5 steps of 255 away from where it should be, above 16: "),
        ("dark", "drift", r"the mean of a channel is 25\.5 steps of 255 away from where it should be, above 16: "),
    ],
)
def test_each_alarm_is_told_once_when_it_begins_and_once_when_it_ends(
    fit: Any, tmp_path: Path, capsys: Any, way: str, name: str, shows: str
) -> None:
    alarms = play(fit, "well", way, way, "well", "well")
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("alarm")]
    assert len(said) == 2
    first, last = (line.removeprefix("alarm    ") for line in said)
    assert re.match(rf"{name} at 0\.8 kimg: {shows}", first)
    assert last.startswith(f"{name} is over at 1.6 kimg: ")
    assert (tmp_path / "alarms.txt").read_text().splitlines() == alarms.events == [first, last]
    assert alarms.ringing == []


def test_several_ring_at_once_and_what_is_not_finite_tells_nothing(fit: Any, tmp_path: Path) -> None:
    class Bright(Turned):
        """Of which one grey thing is far."""

        def __init__(self, **loading: Any) -> None:
            super().__init__(**loading)
            self.noises = self.noises._replace(item=self.noises.item // 2 + 127)

    alarms = play(fit, "one", "broken", data=Bright, beside=(Record(Recorder(tmp_path, 1.6)),))
    assert alarms.ringing == ["variety", "drift"]
    assert read(tmp_path).alarms == ["variety", "drift"]


def test_numbers_that_mean_nothing_are_not_there(fit: Any, tmp_path: Path) -> None:
    """An autoencoder's target is its source; from smaller sources nothing can be copied."""

    class Doubled(Fickle):
        def forward(self, source: Tensor, label: Tensor) -> Tensor:
            return super().forward(source, label).repeat_interleave(2, 2).repeat_interleave(2, 3)

    for name, data, generator in (
        ("autoencoder", Noises, Fickle()),
        ("small", partial(Turned, smaller=2), Doubled()),
    ):
        module = translation()
        module.generator, module.ema = generator, type(module.ema)(generator)
        folder = tmp_path / name
        fit.func(
            folder, TICK, Told("copies"), Alarms(), module=module, data=data, logger=MetricsFile(folder / "metrics.csv")
        )
        (row,) = measured(folder)
        assert not row.get("alarm/identity")
        assert row["alarm/drift"]


def test_a_generator_of_noise_has_no_alarms(fit: Any, tmp_path: Path) -> None:
    fit(TICK, Alarms(), logger=MetricsFile(tmp_path / "metrics.csv"))
    assert not any(name.startswith("alarm/") for name in rows_of(tmp_path)[0])


@pytest.mark.parametrize(
    ("clock", "hook"), [(900, "on_train_batch_end"), (1200, "on_validation_epoch_end"), (1300, "on_train_batch_end")]
)
def test_a_killed_run_tells_what_one_would_have_told_that_was_not(
    fit: Any, tmp_path: Path, clock: int, hook: str
) -> None:
    ways = ("well", "copies", "one", "copies", "well")
    end = len(ways) * TICK

    def together(folder: Path, *more: Callback) -> dict[str, Any]:
        alarms = Alarms()
        log = MetricsFile(folder / "metrics.csv")
        return {"callbacks": (Told(*ways), alarms, Checkpoints(""), *more), "logger": log, "alarms": alarms}

    def run(folder: Path, *more: Callback, **options: Any) -> Alarms:
        parts = together(folder, *more)
        fit.func(folder, end, *parts["callbacks"], module=translation(), data=Turned, logger=parts["logger"], **options)
        return parts["alarms"]

    whole = run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "killed", Kill(clock, hook))
    resumed = run(tmp_path / "killed", ckpt_path=tmp_path / "killed" / "checkpoints" / "last.ckpt")
    assert same(whole.state_dict(), resumed.state_dict())
    assert len(whole.events) == 6
    one, other = (tmp_path / name for name in ("whole", "killed"))
    assert (one / "alarms.txt").read_text() == (other / "alarms.txt").read_text()
    assert numbers_of(one) == numbers_of(other)


@pytest.mark.parametrize(("bound", "value"), [("identity", -0.1), ("identity", 1.0), ("variety", 1.5), ("drift", 0)])
def test_bounds_that_mean_nothing_are_refused(bound: str, value: float) -> None:
    with pytest.raises(UserError, match=rf"Alarms\.{bound} is {value}: it must be"):
        Alarms(**{bound: value})


def test_bounds_can_be_changed_and_alarms_switched_off(fit: Any) -> None:
    assert play(fit, "one", alarms=Alarms(variety=0)).events == []
    assert play(fit, "bright", alarms=Alarms(drift=26)).ringing == []
    assert play(fit, "bright", alarms=Alarms(drift=25)).ringing == ["drift"]
