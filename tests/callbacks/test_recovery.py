"""Numbers that go wrong: what is told, where the run goes back to, and when it gives up."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from remains import Kill, Killed, rows_of, same
from torch import Tensor

from ganlit.callbacks.checkpoint import Checkpoints
from ganlit.callbacks.loggers.metrics_file import MetricsFile
from ganlit.callbacks.recovery import Recovery, remedy
from ganlit.contracts import Labelled
from ganlit.errors import UserError
from ganlit.records import durable
from ganlit.tasks.base import AdversarialModule

PACKAGE = Path(__file__).parents[2] / "ganlit"
When = Callable[[AdversarialModule], bool]


class Nonsense(Callback):
    """Makes one real image of a batch no number when told to, which spoils the discriminator's turn."""

    def __init__(self, when: When) -> None:
        self.when = when

    def on_train_batch_start(self, trainer: Trainer, pl_module: AdversarialModule, batch: Labelled, *_: Any) -> None:
        if self.when(pl_module):
            batch.item[0] = torch.nan


class Diary(Callback):
    """Writes down, by branch and clock, from where and with what each step was taken."""

    def __init__(self) -> None:
        self.start: dict[tuple[int, int], dict[str, Any]] = {}
        self.data: dict[tuple[int, int], Tensor] = {}
        self.latents: dict[tuple[int, int], Tensor] = {}

    def on_fit_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
        def note(_: Any, given: tuple[Tensor, Tensor]) -> None:
            self.latents.setdefault((pl_module.branch, pl_module.images_seen), given[0])

        pl_module.generator.register_forward_pre_hook(note)

    def on_train_batch_start(self, trainer: Trainer, pl_module: AdversarialModule, batch: Labelled, *_: Any) -> None:
        key = pl_module.branch, pl_module.images_seen
        optimizers = [optimizer.state_dict() for optimizer in trainer.optimizers]
        state = {"module": dict(pl_module.state_dict()), "optimizers": optimizers}
        self.start[key], self.data[key] = copy.deepcopy(state), batch.item.clone()


def on_first_branch(*clocks: int) -> When:
    return lambda module: module.branch == 0 and module.images_seen in clocks


def test_a_skipped_step_is_told_with_its_player_term_and_images(fit: Any, capsys: pytest.CaptureFixture) -> None:
    fit(0.4, Recovery(), Nonsense(lambda module: module.images_seen in (100, 300)))
    assert capsys.readouterr().out.splitlines() == [
        f"skipped  discriminator/adversarial not finite on images {first} to {last}, step not taken; {count} so far"
        for first, last, count in ((100, 199, 1), (300, 399, 2))
    ]


def test_going_back_restores_everything_but_the_random_stream(
    fit: Any, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    diary = Diary()
    trouble = Nonsense(on_first_branch(500, 600))
    metrics = MetricsFile(tmp_path / "metrics.csv")
    run = fit(1.2, Recovery(2), diary, trouble, Checkpoints(""), logger=metrics, log_every_n_steps=1)

    assert [key for key in diary.data if key != (0, 700)] == [
        *((0, 100 * step) for step in range(7)),
        *((1, 100 * step) for step in range(4, 12)),
    ]
    assert same(diary.start[0, 400], diary.start[1, 400])
    assert not same(diary.start[0, 500], diary.start[1, 500])
    for clock in (400, 500, 600):
        assert torch.equal(diary.data[0, clock], diary.data[1, clock])
        assert not torch.equal(diary.latents[0, clock], diary.latents[1, clock])
    assert (run.module.images_seen, run.module.branch) == (1200, 1)
    assert run.module.skipped == {"discriminator/adversarial": 2}
    assert "at 0.7 kimg; going back to 0.4 kimg, attempt 1 of 3" in capsys.readouterr().out

    rows = [row for row in rows_of(tmp_path) if row["discriminator/adversarial"]]
    assert [row["kimg"] for row in rows] == [f"{0.1 * step:.7g}" for step in range(1, 13)]
    assert not any(row["discriminator/adversarial"] == "nan" for row in rows)
    assert all(bool(tensor.isfinite().all()) for tensor in run.module.state_dict().values())


def test_lines_of_the_record_keep_their_beat_after_going_back(fit: Any, tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "metrics.csv")
    trouble = Nonsense(on_first_branch(500, 600))
    fit(1.2, Recovery(2), trouble, Checkpoints(""), logger=metrics, log_every_n_steps=2)
    rows = [row["kimg"] for row in rows_of(tmp_path) if row["discriminator/adversarial"]]
    assert rows == ["0.2", "0.4", "0.6", "0.8", "1", "1.2"]


def test_a_trouble_that_never_ends_stops_the_run_with_a_diagnosis(
    fit: Any, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    def when(module: AdversarialModule) -> bool:
        return module.images_seen >= 500

    with pytest.raises(UserError) as caught:
        fit(1.2, Recovery(patience=2, attempts=2), Nonsense(when), Checkpoints(""))
    assert str(caught.value) == (
        "discriminator/adversarial not finite for 2 steps in a row at 0.7 kimg, though the run went back 2 times to "
        f"{tmp_path / 'checkpoints' / 'last.ckpt'}: lower model.init_args.discriminator_optimizer.init_args.lr, give "
        "the discriminator a regularizer such as R1 or a larger weight of it."
    )
    assert [line.split("attempt ")[1] for line in capsys.readouterr().out.splitlines() if "attempt" in line] == [
        "1 of 2",
        "2 of 2",
    ]
    assert durable.load(tmp_path / "checkpoints" / "last.ckpt")["images_seen"] == 400


def test_attempts_are_counted_anew_where_the_run_has_got_further(fit: Any) -> None:
    def when(module: AdversarialModule) -> bool:
        return (module.branch, module.images_seen) in [(0, 500), (0, 600), (1, 900), (1, 1000)]

    run = fit(1.2, Recovery(patience=2, attempts=1), Nonsense(when), Checkpoints(""))
    assert (run.module.images_seen, run.module.branch) == (1200, 2)


def test_without_a_checkpoint_there_is_a_diagnosis_at_once(fit: Any) -> None:
    trouble = Nonsense(lambda module: True)
    sentence = r"^discriminator/adversarial not finite .* at 0\.2 kimg, and there is no checkpoint .*: lower [^\n]*\.$"
    with pytest.raises(UserError, match=sentence):
        fit(0.4, Recovery(2), trouble, Checkpoints(""))


def test_the_diagnosis_names_what_was_not_finite_in_this_row_alone(fit: Any, capsys: pytest.CaptureFixture) -> None:
    class Gradient(Callback):
        def on_fit_start(self, trainer: Trainer, pl_module: AdversarialModule) -> None:
            parameter = next(pl_module.generator.parameters())
            parameter.register_hook(lambda gradient: gradient / 0 if pl_module.images_seen == 100 else gradient)

    fit(0.8, Recovery(2), Gradient(), Nonsense(on_first_branch(500, 600)), Checkpoints(""))
    out = capsys.readouterr().out
    assert "skipped  generator/gradient not finite on images 100 to 199" in out
    assert "\ndiscriminator/adversarial not finite for 2 steps in a row" in out


def test_weights_that_are_not_finite_are_replaced_and_their_scores_forgotten(
    fit: Any, scripted: Any, tmp_path: Path
) -> None:
    class Poison(Callback):
        def on_train_batch_start(self, trainer: Trainer, pl_module: AdversarialModule, *_: Any) -> None:
            if (pl_module.branch, pl_module.images_seen) == (0, 500):
                next(pl_module.discriminator.parameters()).data.fill_(torch.inf)

    fidelity = scripted(30.0, 20.0, 25.0, 26.0)
    checkpoints = Checkpoints("", fidelity)
    run = fit(1.2, Recovery(4), Poison(), fidelity, checkpoints)
    assert run.module.branch == 1
    assert [score[fidelity.number] for _, score in fidelity.history] == [30.0, 25.0, 26.0]
    assert (checkpoints.best, checkpoints.best_kimg) == (25.0, 0.8)
    assert durable.load(tmp_path / "checkpoints" / "best.ckpt")["images_seen"] == 800
    assert all(bool(tensor.isfinite().all()) for tensor in run.module.state_dict().values())


@pytest.mark.parametrize("clock", [500, 1000])
def test_a_run_killed_after_going_back_is_resumed_on_its_branch(fit: Any, tmp_path: Path, clock: int) -> None:
    def callbacks() -> list[Callback]:
        return [Recovery(2), Nonsense(on_first_branch(500, 600)), Checkpoints("")]

    whole = fit(1.2, *callbacks())
    for file in (tmp_path / "checkpoints").iterdir():
        file.unlink()
    with pytest.raises(Killed):
        fit(1.2, *callbacks(), Kill(clock, branch=1))
    recovery = Recovery(2)
    last = tmp_path / "checkpoints" / "last.ckpt"
    resumed = fit(1.2, recovery, Checkpoints(""), ckpt_path=last)
    assert (resumed.module.branch, resumed.module.skipped) == (1, {"discriminator/adversarial": 2})
    assert (recovery.place, recovery.attempt) == (400, 1)
    assert same(dict(resumed.module.state_dict()), dict(whole.module.state_dict()))


@pytest.mark.parametrize("measured", [False, True])
def test_what_is_saved_while_steps_are_skipped_is_nothing_to_go_back_to(
    fit: Any, scripted: Any, measured: bool
) -> None:
    """Weights may be finite and yet give nothing that is."""
    diary = Diary()
    fidelity = [scripted(30.0, 20.0, 25.0, 26.0)] if measured else []
    trouble = Nonsense(on_first_branch(600, 700, 800))
    fit(1.2, Recovery(3), diary, trouble, *fidelity, Checkpoints("", *fidelity))
    assert min(clock for branch, clock in diary.data if branch == 1) == 400


def test_a_run_that_ends_among_skipped_steps_is_saved(fit: Any, tmp_path: Path) -> None:
    fit(0.8, Recovery(3), Nonsense(on_first_branch(700)), Checkpoints(""))
    assert durable.load(tmp_path / "checkpoints" / "last.ckpt")["images_seen"] == 800


@pytest.mark.parametrize(
    ("causes", "precision", "expected"),
    [
        (["generator/gradient"], "32-true", "lower model.init_args.generator_optimizer.init_args.lr, "),
        (
            ["generator/pathlength", "discriminator/r1"],
            "32-true",
            "lower model.init_args.discriminator_optimizer.init_args.lr and "
            "model.init_args.generator_optimizer.init_args.lr, ",
        ),
    ],
)
def test_a_remedy_names_the_keys_of_the_players_concerned(causes: list[str], precision: str, expected: str) -> None:
    assert remedy(causes, precision).startswith(expected)
    assert "32-true" not in remedy(causes, precision)
    assert remedy(causes, "bf16-mixed") == f"{remedy(causes, precision)}, or set trainer.precision to 32-true"


@pytest.mark.parametrize("key", ["patience", "attempts"])
def test_it_must_try_at_least_once(key: str) -> None:
    with pytest.raises(UserError, match=rf"recovery\.{key} is 0: it must be at least 1"):
        Recovery(**{key: 0})


def test_nothing_that_is_not_finite_is_replaced_in_silence() -> None:
    assert not [path for path in PACKAGE.rglob("*.py") if "nan_to_num" in path.read_text()]
