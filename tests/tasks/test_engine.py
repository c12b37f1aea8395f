"""The engine under load: numbers that go wrong, precision, shares of a batch, and one clock for all of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from noises import Noises
from remains import rows_of, same
from torch import Tensor, nn

from ganlit.augment.adaptive import ADA
from ganlit.callbacks.anneal import Anneal
from ganlit.callbacks.budget import Budget
from ganlit.callbacks.checkpoint import Checkpoints, DurableIO
from ganlit.callbacks.loggers.metrics_file import MetricsFile
from ganlit.callbacks.samples import Samples
from ganlit.contracts import Labelled
from ganlit.ema import EMA
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1, R2, GradientPenalty
from ganlit.networks.images.dcgan import DCDiscriminator
from ganlit.networks.images.stylegan import StyleGenerator
from ganlit.tasks.clocked import PLAYERS, Player
from ganlit.tasks.step import micro_batches
from ganlit.tasks.synthesis import Synthesis

BATCH = 10


def rich_game(**overrides: Any) -> Synthesis:
    """A game with all the state there is: mean styles, batch statistics, the mean path length, ADA's strength."""
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.99))
    size = {"z_dim": 4, "w_dim": 4, "mapping_depth": 1, "channel_base": 64, "channel_max": 4}
    parts = {
        "generator": StyleGenerator(16, channels=1, classes=2, **size),
        "discriminator": DCDiscriminator(16, channels=1, width=2),
        "loss": NonSaturating(),
        "generator_optimizer": adam,
        "discriminator_optimizer": adam,
        "regularizers": [R1(weight=0.1, every=2)],
        "generator_regularizers": [PathLength(weight=0.1, every=2)],
        "augment": ADA(p=0.2, speed=0.2, interval=1),
        "ema": partial(EMA, half_life=0.05),
    }
    return Synthesis(**(parts | overrides))


def fit(module: Synthesis, steps: int, *callbacks: Callback, **options: Any) -> None:
    """Trains for so many steps; a Budget's kimg counts as any other callback."""
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "num_sanity_val_steps": 0}
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=-1,
        enable_model_summary=False,
        use_distributed_sampler=False,
        plugins=[DurableIO()],
        callbacks=[Budget(steps * BATCH / 1000), *callbacks],
        **(quiet | options),
    )
    trainer.fit(module, Noises(batch=BATCH, tick=10 * BATCH / 1000, val_images=BATCH))


def player_of(module: Synthesis) -> Player:
    """Whose turn it is."""
    return "generator" if next(module.generator.parameters()).requires_grad else "discriminator"


class Trouble(Callback):
    """Spoils something in the turns of one player that begin at some clocks."""

    def __init__(self, kind: str, player: Player, *clocks: int) -> None:
        self.kind, self.player, self.clocks = kind, player, clocks

    def on_fit_start(self, trainer: Trainer, pl_module: Synthesis) -> None:
        def now() -> bool:
            return pl_module.images_seen in self.clocks and player_of(pl_module) == self.player

        def spoilt(module: nn.Module, given: Any, output: Tensor) -> Tensor:
            return output * torch.nan if now() else output

        match self.kind:
            case "gradient":
                parameter = next(getattr(pl_module, self.player).parameters())
                parameter.register_hook(lambda gradient: gradient * torch.nan if now() else gradient)
            case "infinite loss":  # whose gradient is finite
                loss = getattr(pl_module.loss, self.player)
                setattr(pl_module.loss, self.player, lambda verdict: loss(verdict) + (torch.inf if now() else 0))
            case "regularizer":
                groups = {"discriminator": pl_module.regularizers, "generator": pl_module.generator_regularizers}
                groups[self.player][0].register_forward_hook(spoilt)
            case "discriminator":
                pl_module.discriminator.register_forward_hook(spoilt)
            case "generator":  # which is not called as a whole where a penalty asks for its styles
                pl_module.generator.to_image[-1].register_forward_hook(spoilt)

    def on_train_batch_start(self, trainer: Trainer, pl_module: Synthesis, batch: Labelled, *_: Any) -> None:
        if self.kind == "data" and pl_module.images_seen in self.clocks:
            batch.item[0] = torch.nan


class Turn(NamedTuple):
    player: Player
    clock: int
    taken: bool
    before: dict[str, Any]
    after: dict[str, Any]


def state(module: Synthesis) -> dict[str, Any]:
    """All that training remembers."""
    optimizers = [optimizer.state_dict() for optimizer in module.trainer.optimizers]
    return copy.deepcopy({"module": dict(module.state_dict()), "optimizers": optimizers})


def watched(module: Synthesis) -> list[Turn]:
    """The turns that the module is going to play."""
    turns: list[Turn] = []
    play = module.play

    def watch(player: Player, batch: Labelled) -> bool:
        clock, before = module.images_seen, state(module)
        taken = play(player, batch)
        turns.append(Turn(player, clock, taken, before, state(module)))
        return taken

    module.play = watch
    return turns


TROUBLES = [
    ("data", "discriminator", "adversarial"),
    ("discriminator", "discriminator", "adversarial"),
    ("discriminator", "generator", "adversarial"),
    ("generator", "discriminator", "adversarial"),
    ("generator", "generator", "adversarial"),
    ("gradient", "discriminator", "gradient"),
    ("gradient", "generator", "gradient"),
    ("infinite loss", "discriminator", "adversarial"),
    ("infinite loss", "generator", "adversarial"),
    ("regularizer", "discriminator", "r1"),
    ("regularizer", "generator", "pathlength"),
]


@pytest.mark.parametrize(("kind", "player", "culprit"), TROUBLES)
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_step_that_is_not_finite_leaves_no_trace_and_the_game_goes_on(
    kind: str, player: Player, culprit: str, accumulate: int
) -> None:
    module = rich_game(accumulate=accumulate)
    turns = watched(module)
    fit(module, 4, Trouble(kind, player, 2 * BATCH))
    assert [(turn.player, turn.clock) for turn in turns if not turn.taken] == [(player, 2 * BATCH)]
    for turn in turns:
        assert same(turn.before, turn.after) is not turn.taken
    assert module.skipped == {f"{player}/{culprit}": 1}
    assert module.trainer.callback_metrics[f"skipped/{player}/{culprit}"] == 1
    assert module.images_seen == 4 * BATCH
    assert all(bool(tensor.isfinite().all()) for tensor in module.state_dict().values())


def test_only_steps_in_a_row_are_counted_in_a_row() -> None:
    rows: list[int] = []

    class Rows(Callback):
        def on_train_batch_end(self, trainer: Trainer, pl_module: Synthesis, *_: Any) -> None:
            rows.append(pl_module.skips_in_a_row)

    module = rich_game()
    fit(module, 7, Trouble("data", "discriminator", *(BATCH * step for step in (1, 2, 4))), Rows())
    assert rows == [0, 1, 2, 0, 1, 0, 0]
    assert module.skipped == {"discriminator/adversarial": 3}


def test_the_turns_of_a_player_who_seldom_plays_are_in_a_row_too() -> None:
    """With several steps of the critic to one of the generator, the critic's good steps say nothing of the other."""
    module = rich_game(n_critic=2)
    fit(module, 8, Trouble("generator", "generator", *range(0, 8 * BATCH, BATCH)))
    assert module.skipped == {"generator/adversarial": 4}
    assert module.skips_in_a_row == 4


def test_statistics_that_overflow_behind_finite_terms_are_a_step_not_finite(tmp_path: Path) -> None:
    module = rich_game(augment=None, regularizers=[])
    layer = next(each for each in module.discriminator.modules() if isinstance(each, nn.BatchNorm2d))
    layer.register_forward_pre_hook(
        lambda _, given: (given[0] * 1e25,) if module.images_seen == BATCH else None  # a variance of 1e50
    )
    fit(module, 3)
    assert all(bool(tensor.isfinite().all()) for tensor in module.state_dict().values())
    assert sum(module.skipped.values()) > 0


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_both_players_learn_in_every_supported_precision(precision: str) -> None:
    module = rich_game(accumulate=2)
    turns = watched(module)
    fit(module, 4, precision=precision)
    assert all(turn.taken for turn in turns)
    for player in PLAYERS:
        moved = [not same(turn.before, turn.after) for turn in turns if turn.player == player]
        assert moved == [True] * 4
    assert all(bool(tensor.isfinite().all()) for tensor in module.state_dict().values())


@pytest.mark.parametrize("precision", ["16-mixed", "16-true", "bf16-true"])
def test_half_precisions_without_a_loss_scale_are_refused(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "precision", precision)  # Lightning itself turns fp16 down on a CPU
    with pytest.raises(UserError, match=f"trainer.precision is {precision}: .* 32-true or bf16-mixed"):
        fit(rich_game(), 1)


def in_full_precision(module: Synthesis) -> Synthesis:
    """The same game, whose generated images are computed without autocast, so that all precisions see the same."""
    generate = module.generate

    def wide(label: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return generate(label)

    module.generate = wide
    return module


@pytest.mark.parametrize(
    ("regularizer", "term"),
    [
        (R1(1.0), "discriminator/r1"),
        (R2(1.0), "discriminator/r2"),
        (GradientPenalty(1.0), "discriminator/gradientpenalty"),
        (PathLength(1.0, every=1), "generator/pathlength"),
    ],
    ids=["R1", "R2", "GradientPenalty", "PathLength"],
)
def test_penalties_are_the_same_numbers_in_mixed_precision(
    regularizer: nn.Module, term: str, new_game: Callable, play_game: Callable
) -> None:
    kind = "generator_regularizers" if term.startswith("generator") else "regularizers"
    found = {}
    for precision in ("32-true", "bf16-mixed"):
        module = in_full_precision(new_game(**({"regularizers": []} | {kind: [copy.deepcopy(regularizer)]})))
        found[precision] = play_game(module, batches=1, precision=precision).callback_metrics
    full, mixed = found["32-true"], found["bf16-mixed"]
    assert full[term] > 0
    assert mixed[term].dtype == torch.float32
    assert mixed[term].item() == pytest.approx(full[term].item(), rel=1e-5)
    assert mixed["generator/adversarial"] != full["generator/adversarial"]  # elsewhere bfloat16 is at work


@pytest.mark.parametrize(
    ("regularizers", "wide"),
    [([], []), ([R1(0.1, every=2)], ["real"]), ([R2(0.1, every=2)], ["fake"]), ([R1(0.1), R2(0.1)], ["real", "fake"])],
    ids=["none", "R1", "R2", "both"],
)
def test_the_critic_leaves_mixed_precision_where_a_penalty_that_is_due_differentiates_it(
    regularizers: list[nn.Module], wide: list[str], new_game: Callable, play_game: Callable
) -> None:
    module = new_game(regularizers=regularizers)
    passes: list[tuple[int, Player, torch.dtype]] = []
    module.discriminator[0].register_forward_hook(
        lambda _, given, output: passes.append((module.images_seen, player_of(module), output.dtype))
    )
    play_game(module, batches=2, batch=16, precision="bf16-mixed")
    first, second = (
        [dtype for clock, player, dtype in passes if (clock, player) == (16 * step, "discriminator")] for step in (0, 1)
    )
    assert first.count(torch.float32) == len(wide)
    assert second.count(torch.float32) == sum(regularizer.every == 1 for regularizer in regularizers)
    assert len(first) == len(second) == 2
    assert all(dtype == torch.bfloat16 for _, player, dtype in passes if player == "generator")


def test_a_part_that_a_batch_lacks_is_lacking_in_its_micro_batches() -> None:
    parts = list(micro_batches(Labelled(torch.arange(4), None), 2))
    assert [part.item.tolist() for part in parts] == [[0, 1], [2, 3]]
    assert [part.label for part in parts] == [None, None]


def test_a_batch_that_micro_batches_do_not_divide_is_refused() -> None:
    with pytest.raises(UserError, match=r"batch is 10, which .*accumulate 3 cannot .* set it to a multiple of 3\."):
        fit(rich_game(accumulate=3), 1)


def test_bare_loaders_do_not_get_around_it(new_game: Callable, play_game: Callable) -> None:
    """Micro-batches of 4, 4 and 2, weighing the same, would be another objective."""
    with pytest.raises(UserError, match="accumulate"):
        play_game(new_game(accumulate=3), batches=1, batch=10)


class Clocks(Callback):
    """Notes when what happens."""

    def __init__(self) -> None:
        self.validated: list[int] = []
        self.rates: dict[int, float] = {}  # of the generator, as they governed a step

    def on_train_batch_end(self, trainer: Trainer, pl_module: Synthesis, *_: Any) -> None:
        self.rates[pl_module.images_seen] = trainer.optimizers[1].param_groups[0]["lr"]

    def on_validation_start(self, trainer: Trainer, pl_module: Synthesis) -> None:
        self.validated.append(pl_module.images_seen)


def test_there_is_one_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two optimizers, five critic steps to one of the generator and lazy regularization agree on the images seen."""
    steps, batch, tick = 40, BATCH, 10 * BATCH
    module = rich_game(
        n_critic=5, regularizers=[R1(0.1, every=4)], generator_regularizers=[PathLength(0.1, every=2)], augment=None
    )
    penalised: dict[str, list[int]] = {"r1": [], "pathlength": []}
    module.regularizers[0].register_forward_hook(lambda *_: penalised["r1"].append(module.images_seen))
    module.generator_regularizers[0].register_forward_hook(
        lambda *_: penalised["pathlength"].append(module.images_seen)
    )
    averaged: list[tuple[int, int]] = []
    update = module.ema.update
    monkeypatch.setattr(
        module.ema,
        "update",
        lambda network, seen, images: (averaged.append((seen, images)), update(network, seen, images)),
    )
    turns, clocks = watched(module), Clocks()
    anneal = Anneal(end=steps * batch / 1000, what="lr", share=0.5, player="generator")
    callbacks = [Samples(rows=1, columns=2), anneal, clocks, Checkpoints("")]
    metrics = MetricsFile(tmp_path / "metrics.csv")
    fit(module, steps, *callbacks, logger=metrics, log_every_n_steps=1, default_root_dir=tmp_path)

    every_step = [batch * step for step in range(steps)]
    fifth = every_step[4::5]
    assert module.images_seen == steps * batch
    assert [turn.clock for turn in turns if turn.player == "discriminator"] == every_step
    assert [turn.clock for turn in turns if turn.player == "generator"] == fifth
    taken = [optimizer.state_dict()["state"][0]["step"].item() for optimizer in module.trainer.optimizers]
    assert taken == [steps, steps // 5]
    rehearsed = {name: clocks.pop(0) for name, clocks in penalised.items()}
    assert rehearsed == {"r1": 0, "pathlength": 0}
    assert penalised == {"r1": every_step[::4], "pathlength": fifth[::2]}
    assert averaged == [(clock + batch, batch) for clock in every_step]
    assert clocks.rates == {clock + batch: anneal.value(clock / 1000, 1e-3) for clock in every_step}
    assert min(clocks.rates.values()) == pytest.approx(1e-3 / 20)
    assert clocks.validated == [tick, 2 * tick, 3 * tick, 4 * tick]

    names = sorted(path.name for path in (tmp_path / "samples").glob("kimg*"))
    assert names == [f"kimg00000{kimg:.1f}.png" for kimg in (0.0, 0.1, 0.2, 0.3, 0.4)]
    checkpoint = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["images_seen"] == steps * batch
    assert not {"epoch", "global_step", "loops"} & checkpoint.keys()

    rows = [row for row in rows_of(tmp_path) if row["discriminator/adversarial"]]
    assert [round(1000 * float(row["kimg"])) for row in rows] == [clock + batch for clock in every_step]
    for name, at in {
        "generator/adversarial": fifth,
        "discriminator/r1": penalised["r1"],
        "generator/pathlength": penalised["pathlength"],
    }.items():  # between two turns the latest value stays in the record
        values = ["", *(row[name] for row in rows)]
        assert [clock for clock, (old, new) in zip(every_step, pairwise(values), strict=True) if new != old] == at
