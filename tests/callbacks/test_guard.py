"""A reconstruction that falls behind what it was before the discriminator counted: told, weakened, taken back."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from remains import Kill, Killed, checkpoint, rows_of, same
from translators import Judge, Translator

from ganlit.callbacks.alarms import Alarms
from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.callbacks.fidelity import Fidelity
from ganlit.callbacks.guard import Guard, behind
from ganlit.callbacks.loggers.metrics_file import MetricsFile
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.reconstruction import L2
from ganlit.losses.weight import Weight
from ganlit.tasks.translation import Translation

TICK, END = 0.4, 2.4  # kimg
PSNR = "psnr200/-/-/tiles-train@abcdef/ema-reconstruction"


def translation(weight: float = 1.0, start: float = 2 * TICK) -> Translation:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.99))
    return Translation(
        generator=Translator(),
        discriminator=Judge(),
        loss=NonSaturating(),
        criteria=[L2()],
        adversarial=Weight(weight, start=start),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
    )


class Told(Fidelity):
    """Decibels by the clock: good until the adversarial term counts, and bad as long as it counts much."""

    def __init__(self, ruin: float = 3.0) -> None:
        super().__init__()
        self.metrics = ["psnr"]
        self.ruin = ruin

    def setup(self, trainer: Trainer, pl_module: Translation, stage: str) -> None: ...

    def due(self, trainer: Trainer) -> bool:
        return True

    def on_validation_epoch_start(self, *_: Any) -> None: ...

    def on_validation_batch_end(self, *_: Any) -> None: ...

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: Translation) -> None:
        lost = self.ruin * pl_module.weight.at(pl_module.kimg) if pl_module.kimg > pl_module.weight.start else 0.0
        self.latest = {PSNR: 20 + pl_module.kimg - lost}
        self.history.append((pl_module.kimg, self.latest))


class Scales(Callback):
    """The branch, the clock and the scale of each step."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, float]] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: Translation, *_: Any) -> None:
        self.steps.append((pl_module.branch, pl_module.images_seen, pl_module.weight.scale))


@pytest.fixture
def play(fit: Any) -> Any:
    def run(*callbacks: Callback, guard: Guard, kimg: float = END, told: Fidelity | None = None, **more: Any) -> Any:
        told = told or Told()
        return fit(kimg, told, Checkpoints("", told), guard, *callbacks, module=translation(), **more)

    return run


def test_the_term_is_halved_until_the_measure_is_back(play: Any, tmp_path: Path, capsys: Any) -> None:
    scales, guard = Scales(), Guard(tolerance=0.5)
    play(scales, guard=guard, logger=MetricsFile(tmp_path / "metrics.csv"))
    found = {round(clock / 1000, 1): scale for _, clock, scale in scales.steps}
    # At 1.2 kimg 18.2 dB, at 1.6 with a half 20.1, at 2 with a quarter 21.25, where it was 20.8 at 0.8.
    assert [found[kimg] for kimg in (0.8, 1.2, 1.6, 2.0, 2.4)] == [1, 1, 0.5, 0.25, 0.25]
    assert guard.before == (0.8, 20.8)
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("guard")]
    assert said[0] == (
        "guard    PSNR-200 is 18.2 at 1.2 kimg, 2.6 behind the 20.8 of 0.8 kimg: the adversarial term counts 0.5 of "
        "its weight from here on"
    )
    assert len(said) == 2
    assert (tmp_path / "guard.txt").read_text().splitlines() == [line.removeprefix("guard    ") for line in said]
    assert [row["guard/scale"] for row in rows_of(tmp_path) if row["guard/scale"]] == [
        "1",
        "1",
        "0.5",
        "0.25",
        "0.25",
        "0.25",
    ]


def test_it_may_only_tell(play: Any, capsys: Any) -> None:
    scales = Scales()
    play(scales, guard=Guard(reaction="tell"))
    assert {scale for *_, scale in scales.steps} == {1.0}
    assert "lower adversarial.weight, or give the discriminator a longer lead" in capsys.readouterr().out


def test_it_goes_back_to_the_best_checkpoint_with_half_the_weight(play: Any, tmp_path: Path, capsys: Any) -> None:
    scales, guard = Scales(), Guard(reaction="back")
    run = play(scales, guard=guard, told=Told(2.4))
    places = [(branch, clock) for branch, clock, _ in scales.steps]
    # At 1.2 kimg 18.8 dB; best were the 20.8 of 0.8 kimg. With a half there are 20.0 at 1.2: back again, a quarter.
    assert [place for place in places if place[1] in (900, 1200)] == [
        (0, 900),
        (0, 1200),
        (1, 900),
        (1, 1200),
        (2, 900),
        (2, 1200),
    ]
    assert (run.module.images_seen, run.module.branch, guard.returns) == (2400, 2, 2)
    assert scales.steps[-1] == (2, 2400, 0.25)
    assert "back at 0.8 kimg, time 2 of 3" in capsys.readouterr().out
    assert [kimg for kimg, _ in run.trainer.callbacks[1].history] == pytest.approx([0.4, 0.8, 1.2, 1.6, 2.0, 2.4])


def test_going_back_keeps_what_reactions_have_changed(play: Any) -> None:
    class Reacts(Callback):
        """Halves a rate once, at the validation of 1.2 kimg, from where the guard goes back to 0.8."""

        def __init__(self) -> None:
            self.rates: dict[int, float] = {}  # of the generator after the last step of a branch

        def on_validation_epoch_end(self, trainer: Trainer, pl_module: Translation) -> None:
            if (pl_module.branch, pl_module.images_seen) == (0, 1200):
                pl_module.adjust({"generator/lr": 0.5})

        def on_train_batch_end(self, trainer: Trainer, pl_module: Translation, *_: Any) -> None:
            self.rates[pl_module.branch] = trainer.optimizers[1].param_groups[0]["lr"]

    reacts = Reacts()
    run = play(reacts, guard=Guard(reaction="back"), told=Told(2.4))
    assert reacts.rates == {0: 1e-3, 1: 5e-4, 2: 5e-4}
    assert run.module.adjusted == {"generator/lr": 0.5}


def test_going_back_forgets_nothing_that_alarms_have_told_nor_how_often_they_went_back(
    fit: Any, tmp_path: Path
) -> None:
    class Rung(Alarms):
        """In which collapse has begun at the validation that the guard goes back from, and goes on after it."""

        def _detect(self, trainer: Trainer, kimg: float) -> None:
            if kimg == 1.2:
                self._begin(trainer, "collapse", f"collapse at {kimg:.1f} kimg")

    told, alarms = Told(2.4), Rung(variety=0)
    alarms.returns = 1
    guard = Guard(reaction="back", attempts=1)
    run = fit(END, told, alarms, guard, Checkpoints("", told), module=translation())
    assert run.module.branch == 1
    assert (alarms.events, alarms.returns) == (["collapse at 1.2 kimg"] * 2, 1)  # it began again on the other branch
    assert (tmp_path / "alarms.txt").read_text().splitlines() == alarms.events


def test_it_goes_back_so_often_and_no_more(play: Any) -> None:
    guard = Guard(reaction="back", attempts=1)
    run = play(guard=guard, told=Told(2.4))
    assert (run.module.branch, guard.returns, guard.scale) == (1, 1, 0.25)


@pytest.mark.parametrize(
    ("reaction", "clock", "branch"), [("halve", 1300, 0), ("halve", 1500, 0), ("back", 1200, 0), ("back", 1200, 1)]
)
def test_a_killed_run_is_resumed_with_what_the_guard_knew(
    play: Any, fit: Any, tmp_path: Path, reaction: str, clock: int, branch: int
) -> None:
    whole = fit.func(tmp_path / "whole", END, *(parts := together(reaction)), module=translation())
    with pytest.raises(Killed):
        fit(END, *together(reaction), Kill(clock, branch=branch), module=translation())
    last = tmp_path / "checkpoints" / "last.ckpt"
    resumed = fit(END, *(others := together(reaction)), module=translation(), ckpt_path=last)
    assert same(dict(whole.module.state_dict()), dict(resumed.module.state_dict()))
    assert parts[-1].state_dict() == others[-1].state_dict()
    assert (tmp_path / "guard.txt").read_text() == (tmp_path / "whole" / "guard.txt").read_text()
    assert checkpoint(tmp_path)["images_seen"] == 2400


def together(reaction: Any) -> list[Callback]:
    told = Told(2.4)
    return [told, Checkpoints("", told), Guard(reaction=reaction)]


def test_a_second_fit_begins_with_the_whole_weight(play: Any) -> None:
    run = play(guard=Guard())
    assert run.module.weight.scale == 1.0


def test_what_there_is_to_guard_is_asked_for(fit: Any, play: Any, scripted: Any) -> None:
    with pytest.raises(UserError, match="Guard watches a generator that takes data, which Synthesis has none of"):
        fit(0.4, Guard())
    with pytest.raises(UserError, match=r"Guard.measure is ssim, which is not measured: add it to fidelity.metrics\."):
        play(guard=Guard("ssim"))
    with pytest.raises(UserError, match=r"Guard.tolerance is -1"):
        Guard(tolerance=-1)


def test_where_nothing_is_measured_there_is_nothing_to_guard(fit: Any, capsys: Any) -> None:
    run = fit(0.4, Guard(), module=translation(start=0.2))
    assert run.module.images_seen == 400
    assert "guard    fidelity is null, so nothing is measured and nothing guarded" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("psnr", 1.0),
        ("psnr-y-crop4", 6.0),
        ("psnr:back", 7.0),
        ("fid", 3.0),
        ("fid:prior", 2.0),
        ("prdc:prior", 4.0),
        ("codes", 5.0),
        ("kid", None),
    ],
)
def test_a_measure_is_called_as_it_is_asked_for(measure: str, value: float | None) -> None:
    network = "inception@0/legacy/tiles@abcdef"
    found = Guard(measure)._value(
        {
            "psnr200-y-crop4/-/-/tiles-train@abcdef/ema-reconstruction": 6.0,
            "psnr200/-/-/tiles-train@abcdef/ema-back": 7.0,
            PSNR: 1.0,
            f"fid2k/{network}/ema-prior": 2.0,
            f"fid2k/{network}/ema-reconstruction": 3.0,
            f"precision2k-k5/{network}/ema-prior": 4.0,
            "code-use2k-256codes/-/-/tiles@abcdef/ema-reconstruction": 5.0,
        }
    )
    assert (found and found[1]) == value


def test_which_way_is_worse_depends_on_the_measure() -> None:
    assert behind(PSNR, 19, 20) == 1
    assert behind("fid2k/a/b/c/ema-reconstruction", 19, 20) == -1
