"""Signals of trainings: what they change, which is nothing, and what they tell of a ring of modes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback
from remains import Kill, Killed, checkpoint, numbers_of, rows_of, same

from ganlit.callbacks.alarms import Alarms
from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.callbacks.loggers.metrics_file import MetricsFile
from ganlit.callbacks.reactions import GoBack, Stop
from ganlit.callbacks.signals import Signals
from ganlit.data.plane.mixtures import Mixtures
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.regularizers.gradient import R1
from ganlit.metrics.detector import replay
from ganlit.metrics.signals import SIGNALS
from ganlit.networks.plane.mlp import PlaneDiscriminator, PlaneGenerator
from ganlit.tasks.synthesis import Synthesis

TICK = 0.4  # kimg


def signals_of(folder: Path) -> list[dict[str, float]]:
    return [
        {name.removeprefix("signal/"): float(value) for name, value in row.items() if "signal/" in name and value}
        for row in rows_of(folder)
        if row.get("signal/moved")
    ]


def test_a_training_is_bitwise_the_same_with_and_without(fit: Any, tmp_path: Path) -> None:
    for name, callbacks in {"with": (Signals(), Alarms()), "without": ()}.items():
        fit.func(tmp_path / name, 2 * TICK, *callbacks, Checkpoints(""))
    one, other = (checkpoint(tmp_path / name) for name in ("with", "without"))
    for key in ("state_dict", "optimizer_states", "images_seen", "skipped", "latest"):
        assert same(one[key], other[key]), key


def test_each_signal_is_logged_that_there_can_be(fit: Any, tmp_path: Path) -> None:
    fit(2 * TICK, Signals(), logger=MetricsFile(tmp_path / "metrics.csv"))
    first, second = signals_of(tmp_path)
    assert (
        set(first) == set(second) == set(SIGNALS) - {"overfit", "duplicates"}
    )  # nothing is held out, and real items repeat
    assert all(-1 <= first[f"cosine-{player}"] <= 1 for player in ("discriminator", "generator"))
    assert 0 <= first["overlap"] <= 2


@pytest.mark.parametrize(
    ("clock", "hook"), [(700, "on_train_batch_end"), (800, "on_validation_epoch_end"), (900, "on_train_batch_end")]
)
def test_a_killed_run_tells_what_one_would_have_told_that_was_not(
    fit: Any, scripted: Any, tmp_path: Path, clock: int, hook: str
) -> None:
    def run(folder: Path, *more: Callback, **options: Any) -> Signals:
        signals, scores = Signals(), scripted(9.0, 8.0, 7.0)
        log = MetricsFile(folder / "metrics.csv")
        saved = Checkpoints("", scores)
        fit.func(folder, 3 * TICK, scores, signals, Alarms(), saved, *more, logger=log, **options)
        return signals

    whole = run(tmp_path / "whole")
    assert [list(row)[-1] for row in whole.rows] == ["fid200/tiny@0/none/tiles-train@abcdef/ema"] * 3
    with pytest.raises(Killed):
        run(tmp_path / "killed", Kill(clock, hook, save="batch" in hook))
    signals, scores = Signals(), scripted(8.0, 7.0) if clock <= 800 else scripted(7.0)
    log = MetricsFile(tmp_path / "killed" / "metrics.csv")
    path = tmp_path / "killed" / "checkpoints" / "last.ckpt"
    parts = scores, signals, Alarms(), Checkpoints("", scores)
    fit.func(tmp_path / "killed", 3 * TICK, *parts, logger=log, ckpt_path=path)
    assert signals.rows == whole.rows
    assert numbers_of(tmp_path / "whole") == numbers_of(tmp_path / "killed")


def ring(rate: float, norm: bool) -> Synthesis:
    """A game on eight modes, whose generator learns so fast."""
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, betas=(0.5, 0.99))
    return Synthesis(
        PlaneGenerator(z_dim=8, width=32, depth=2, norm=norm),
        PlaneDiscriminator(width=32, depth=2, pieces=2),
        NonSaturating(),
        generator_optimizer=partial(adam, lr=rate),
        discriminator_optimizer=partial(adam, lr=1e-3),
        regularizers=[R1(0.1)] if norm else [],
    )


def play(fit: Any, alarms: Alarms, rate: float, norm: bool) -> tuple[Any, Signals]:
    signals = Signals()

    def data(**_: Any) -> Mixtures:
        return Mixtures(batch=100, tick=1.0, val_images=256, points=2000)

    return fit(10.0, signals, alarms, module=ring(rate, norm), data=data), signals


def test_a_generator_that_learns_far_too_fast_collapses_and_the_run_is_ended(
    fit: Any, tmp_path: Path, capsys: Any
) -> None:
    alarms = Alarms(reactions={"collapse": Stop()})
    run, signals = play(fit, alarms, rate=3e-2, norm=False)
    (event,) = (event for event in alarms.events if event.startswith("collapse"))
    assert "(signal/" in event
    assert event.endswith("; the run ends here")
    assert run.module.kimg < 10
    assert "collapse" in alarms.ringing
    assert f"alarm    {event}" in capsys.readouterr().out
    assert event in (tmp_path / "alarms.txt").read_text().splitlines()
    told = [(event.kimg, event.name) for event in replay(signals.rows) if event.name == "collapse"]
    assert told == [(run.module.kimg, "collapse")]


def test_a_game_that_is_well_rings_nothing(fit: Any, tmp_path: Path) -> None:
    alarms = Alarms()
    _, signals = play(fit, alarms, rate=1e-3, norm=True)
    assert alarms.events == []
    assert len(signals.rows) == 10
    assert all("signal/overfit" in row for row in signals.rows)  # of which no point is met twice
    assert signals.rows[-1]["signal/variety"] == pytest.approx(1, abs=0.2)


def test_a_run_goes_back_to_its_best_checkpoint_and_says_when_that_was_no_help(fit: Any, scripted: Any) -> None:
    class Ill(Signals):
        """Says that half of the steps were not taken in whatever comes after the second validation."""

        def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            super().on_validation_epoch_end(trainer, pl_module)
            if pl_module.kimg > 2.5 * TICK:
                self.rows[-1]["signal/skipped"] = 0.5

    scores, alarms = scripted(9.0, 8.0, 20.0, 20.0, 20.0), Alarms(reactions={"divergence": GoBack(attempts=2)})
    run = fit(3 * TICK, scores, Ill(), alarms, Checkpoints("", scores))
    assert run.module.branch == 0
    assert alarms.events[0].endswith("; the run ends here anyway")
    scores, alarms = scripted(9.0, 8.0, *[20.0] * 6), Alarms(reactions={"divergence": GoBack(attempts=2)})
    run = fit(4 * TICK, scores, Ill(), alarms, Checkpoints("", scores))
    assert run.module.branch == 2
    assert [event.rpartition("; ")[2] for event in alarms.events if not event.startswith("collapse")] == [
        "the run goes back to its best checkpoint, time 1 of 2",
        "back at 0.8 kimg",
        "the run goes back to its best checkpoint, time 2 of 2",
        "back at 0.8 kimg",
        "the run has gone back 2 times, and goes on",
    ]


def test_reactions_are_to_alarms_that_there_are() -> None:
    with pytest.raises(UserError, match=r"Alarms\.reactions names colapse: .* did you mean collapse\?"):
        Alarms(reactions={"colapse": Stop()})
    with pytest.raises(UserError, match=r"GoBack\.attempts is 0"):
        GoBack(0)
