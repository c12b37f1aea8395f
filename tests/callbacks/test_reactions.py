"""What a run changes when an alarm begins, how far, and that a resumed one knows it."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from remains import Kill, Killed, rows_of, same

from ganlit.augment.adaptive import ADA
from ganlit.callbacks.alarms import Alarms
from ganlit.callbacks.anneal import Anneal
from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.callbacks.loggers.metrics_file import MetricsFile
from ganlit.callbacks.reactions import GoBack, Raise, Reaction, Slow, Stop, Strengthen
from ganlit.callbacks.record import Record
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.regularizers.gradient import R1
from ganlit.networks.images.dcgan import DCDiscriminator, DCGenerator
from ganlit.records.state import Recorder
from ganlit.tasks.synthesis import Synthesis

TICK = 0.4


def module(weight: float = 1.0, augment: ADA | None = None) -> Synthesis:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.99))
    return Synthesis(
        DCGenerator(8, channels=1, z_dim=4, width=4),
        DCDiscriminator(8, channels=1, width=4),
        NonSaturating(),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        regularizers=[R1(weight, every=2)],
        augment=augment or ADA(target=None),
    )


class Rung(Alarms):
    """In which collapse begins at every validation."""

    def _detect(self, trainer: Trainer, kimg: float) -> None:
        self.ringing = []
        self._begin(trainer, "collapse", f"collapse at {kimg:.1f} kimg")


def rung(*reactions: Reaction) -> Rung:
    return Rung(reactions={"collapse": [*reactions]})


def test_each_reaction_goes_as_far_as_it_may(fit: Any, tmp_path: Path) -> None:
    alarms = rung(Slow("generator", least=0.3), Raise(factor=4.0, most=6.0), Strengthen(by=0.2, most=0.3))
    run = fit(3 * TICK, alarms, module=module(), logger=MetricsFile(tmp_path / "metrics.csv"))
    assert alarms.events == (tmp_path / "alarms.txt").read_text().splitlines()
    assert [event.split("; ") for event in alarms.events] == [
        [
            "collapse at 0.4 kimg",
            "the learning rate of the generator 0.001 -> 0.0005",
            "the weight of R1 1 -> 4",
            "the augmentation's p 0 -> 0.2",
        ],
        [
            "collapse at 0.8 kimg",
            "the learning rate of the generator 0.0005 -> 0.0003",
            "the weight of R1 4 -> 6",
            "the augmentation's p 0.2 -> 0.3",
        ],
        [
            "collapse at 1.2 kimg",
            "the learning rate of the generator stays at 0.0003, the least",
            "the weight of R1 stays at 6, the most",
            "the augmentation's p stays at 0.3, the most",
        ],
    ]
    discriminator, generator = run.trainer.optimizers
    assert generator.param_groups[0]["lr"] == pytest.approx(3e-4)
    assert discriminator.param_groups[0]["lr"] == 1e-3
    told = [row for row in rows_of(tmp_path) if row.get("reaction/R1/weight")]
    assert [float(row["reaction/generator/lr"]) for row in told] == pytest.approx([0.5, 0.3, 0.3])


def test_a_heavier_weight_is_that_of_the_next_term(fit: Any) -> None:
    """The same step from the same weights, with four times the gamma: the R1 that is logged is four times as large."""

    class After(Callback):
        def on_train_batch_end(self, trainer: Trainer, pl_module: Synthesis, *_: Any) -> None:
            if pl_module.images_seen == 500:
                self.term = float(pl_module.latest["discriminator/r1"])

    plain, heavy = After(), After()
    fit(0.5, rung(), plain, module=module())
    fit(0.5, rung(Raise(factor=4.0)), heavy, module=module())
    assert heavy.term == pytest.approx(4 * plain.term)


def test_what_was_changed_outlives_a_kill_to_the_bit(fit: Any, tmp_path: Path) -> None:
    end = 5 * TICK

    def run(folder: Path, *more: Callback, **options: Any) -> Any:
        alarms = rung(Slow("generator"), Slow("discriminator", 0.7), Raise(), Strengthen())
        own = (Anneal(end, share=0.9, player="generator"), alarms, Checkpoints(""), *more)
        return fit.func(folder, end, *own, module=module(augment=ADA(speed=1.0)), **options), alarms

    whole, told = run(tmp_path / "whole")
    with pytest.raises(Killed):
        run(tmp_path / "killed", Kill(1300, "on_train_batch_end"))
    resumed, again = run(tmp_path / "killed", ckpt_path=tmp_path / "killed" / "checkpoints" / "last.ckpt")
    assert whole.module.adjusted == resumed.module.adjusted
    assert whole.module.adjusted["R1/weight"] == 8
    assert told.events == again.events
    assert same(whole.module.state_dict(), resumed.module.state_dict())
    one, other = ([each.state_dict() for each in run.trainer.optimizers] for run in (whole, resumed))
    assert same(one, other)
    plain = fit.func(tmp_path / "plain", end, Anneal(end, share=0.9, player="generator"), module=module())
    assert not same(plain.module.state_dict(), whole.module.state_dict())


def test_going_back_keeps_what_was_changed(fit: Any, scripted: Any) -> None:
    scores, alarms = scripted(9.0, 10.0, *[11.0] * 9), rung(Slow("discriminator"), Strengthen(), GoBack(attempts=1))
    run = fit(3 * TICK, scores, alarms, Checkpoints("", scores), module=module())
    assert run.module.branch == 1
    assert "back at 0.4 kimg" in alarms.events
    assert run.module.adjusted["discriminator/lr"] < 0.5
    assert float(run.module.augment.p) == pytest.approx(run.module.adjusted["augment/p"])


def test_a_run_that_is_ended_says_why(fit: Any, tmp_path: Path) -> None:
    run = fit(3 * TICK, rung(Stop()), Record(Recorder(tmp_path, 1.2)), module=module())
    assert (run.module.kimg, run.module.ended) == (TICK, "collapse at 0.4 kimg")
    assert fit(TICK, rung(Stop()), module=module()).module.ended is None  # its length was reached anyway


@pytest.mark.parametrize(
    ("reactions", "told", "returning"),
    [
        ((Stop(), GoBack()), "the run ends here; the run ends here anyway", False),
        (
            (GoBack(), Stop()),
            "the run goes back to its best checkpoint, time 1 of 2; the run ends here",
            True,  # should it be resumed
        ),
    ],
)
def test_a_reaction_finds_what_those_before_it_have_done(
    fit: Any, scripted: Any, reactions: tuple[Reaction, ...], told: str, returning: bool
) -> None:
    class Later(Rung):
        """When there is a best checkpoint."""

        def _detect(self, trainer: Trainer, kimg: float) -> None:
            if kimg > TICK:
                super()._detect(trainer, kimg)

    scores, alarms = scripted(9.0, 10.0, 11.0), Later(reactions={"collapse": [*reactions]})
    run = fit(3 * TICK, scores, alarms, Checkpoints("", scores), module=module())
    assert alarms.events == [f"collapse at 0.8 kimg; {told}"]
    assert (alarms.returning, run.module.branch, run.module.kimg) == (returning, 0, 2 * TICK)


@pytest.mark.parametrize(
    ("reaction", "says"),
    [
        (lambda: Slow(factor=1.0), r"Slow\.factor is 1\.0"),
        (lambda: Raise(most=0.5), r"Raise\.most is 0\.5"),
        (lambda: Strengthen(by=0), r"Strengthen\.by is 0"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(reaction: Any, says: str) -> None:
    with pytest.raises(UserError, match=says):
        reaction()


@pytest.mark.parametrize(
    ("reaction", "options", "beside", "says"),
    [
        (Raise("RR1"), {}, (), r"Raise\.regularizer is RR1, .* did you mean R1\?"),
        (Raise("Path"), {}, (), r"Raise\.regularizer is Path, which regularizes neither player; there are R1\."),
        (Raise(), {"weight": 0.0}, (), "the weight of R1 is 0"),
        (Strengthen(), {}, (Anneal(1.0, "p"),), "an Anneal of p among"),
    ],
)
def test_what_cannot_be_changed_is_refused_before_the_first_step(
    fit: Any, reaction: Reaction, options: Any, beside: Any, says: str
) -> None:
    with pytest.raises(UserError, match=says):
        fit(TICK, rung(reaction), *beside, module=module(**options))
    with pytest.raises(UserError, match=re.escape("augment is Unaugmented, which has no strength: name ADA")):
        fit(TICK, rung(Strengthen()))
