"""Two ways at once: what each player's objective is, and what of it is remembered."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset
from translators import Judge, Translator

from ganlit.contracts import Pair
from ganlit.ema import EMA
from ganlit.errors import UserError
from ganlit.losses.adversarial import LeastSquares
from ganlit.losses.reconstruction import L1, L2
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1
from ganlit.losses.weight import AdaptiveWeight, Weight
from ganlit.networks.pairs import ThereAndBack
from ganlit.tasks.cycle import CycleTranslation

BATCH, SHAPE = 6, (1, 8, 8)


class Two(IterableDataset):
    def __init__(self, batches: int, broken: int = -1) -> None:
        self.batches, self.broken = batches, broken

    def __iter__(self) -> Iterator[Pair]:
        stream = torch.Generator().manual_seed(0)
        for step in range(self.batches):
            source, target = torch.rand(2, BATCH, *SHAPE, generator=stream) * 2 - 1
            yield Pair(source * (torch.nan if step == self.broken else 1), target)


def game(**parts: Any) -> CycleTranslation:
    torch.manual_seed(0)
    sgd = partial(torch.optim.SGD, lr=0.1)
    defaults = {
        "generator": ThereAndBack(Translator(SHAPE), Translator(SHAPE)),
        "discriminator": ThereAndBack(Judge(SHAPE), Judge(SHAPE)),
        "loss": LeastSquares(),
        "cycle": [L1(weight=10.0)],
        "identity": [L1(weight=5.0)],
        "generator_optimizer": sgd,
        "discriminator_optimizer": sgd,
        "ema": partial(EMA, half_life=2.0, rampup=None),
    }
    return CycleTranslation(**(defaults | parts))


def play(module: CycleTranslation, batches: int, *callbacks: Callback, broken: int = -1) -> Trainer:
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = Trainer(max_epochs=1, accelerator="cpu", callbacks=list(callbacks), **quiet)
    trainer.fit(module, DataLoader(Two(batches, broken), batch_size=None))
    return trainer


def weights(module: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten().clone() for parameter in module.parameters()])


def descended(network: nn.Module, objective: Tensor) -> None:
    for parameter, gradient in zip(
        network.parameters(), torch.autograd.grad(objective, list(network.parameters())), strict=True
    ):
        parameter.data -= 0.1 * gradient


def test_one_step_equals_the_game_written_by_hand() -> None:
    module = game(adversarial=Weight(0.7))
    g, d = copy.deepcopy(module.generator), copy.deepcopy(module.discriminator)
    trainer = play(module, 1)
    x, y, _ = next(iter(Two(1)))
    label = torch.zeros(BATCH, dtype=torch.int64)

    def there(items: Tensor) -> Tensor:
        return g.there(items, label).output

    def back(items: Tensor) -> Tensor:
        return g.back(items, label).output

    def least(judge: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        true, false = judge(real, label).logits[0], judge(fake, label).logits[0]
        return LeastSquares().discriminator(type("V", (), {"real_logits": true, "fake_logits": false}))

    descended(d, least(d.there, y, there(x).detach()) + least(d.back, x, back(y).detach()))
    fooled = {way: getattr(d, way)(made, label).logits[0] for way, made in (("there", there(x)), ("back", back(y)))}
    terms = {
        "adversarial": 0.7 * LeastSquares().generator(type("V", (), {"fake_logits": fooled["there"]})),
        "adversarial_back": 0.7 * LeastSquares().generator(type("V", (), {"fake_logits": fooled["back"]})),
        "cycle": 10 * (back(there(x)) - x).abs().mean(),
        "cycle_back": 10 * (there(back(y)) - y).abs().mean(),
        "identity": 5 * (there(y) - y).abs().mean(),
        "identity_back": 5 * (back(x) - x).abs().mean(),
    }
    descended(g, sum(terms.values()))
    torch.testing.assert_close(weights(module.discriminator), weights(d), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(weights(module.generator), weights(g), rtol=1e-4, atol=1e-6)
    for name, value in terms.items():
        torch.testing.assert_close(trainer.callback_metrics[f"generator/{name}"], value.detach(), rtol=1e-5, atol=1e-6)


class Story(Callback):
    """Step by step: whether the discriminator has moved, what it counts, and how many items the pools hold."""

    def __init__(self) -> None:
        self.moved: list[bool] = []
        self.counted: list[set[str]] = []
        self.pooled: list[int] = []

    def on_train_batch_start(self, trainer: Trainer, pl_module: CycleTranslation, *_: Any) -> None:
        self.before, pl_module.latest = weights(pl_module.discriminator), {}

    def on_train_batch_end(self, trainer: Trainer, pl_module: CycleTranslation, *_: Any) -> None:
        self.moved.append(not torch.equal(self.before, weights(pl_module.discriminator)))
        self.counted.append({name for name in pl_module.latest if name.startswith("generator/adversarial")})
        self.pooled.append(len(items) if (items := pl_module.pools["back"].items) is not None else 0)


def test_both_ways_count_from_the_start_on_and_discriminators_learn_before() -> None:
    step, story = BATCH / 1000, Story()
    play(game(adversarial=Weight(start=2.5 * step, lead=2 * step)), 5, story)
    assert story.moved == [False, True, True, True, True]
    assert story.counted == [set()] * 3 + [{"generator/adversarial", "generator/adversarial_back"}] * 2
    assert story.pooled == [0, 6, 12, 18, 24]


def test_the_factor_rises_for_both_ways_alike() -> None:
    step = BATCH / 1000
    still = partial(torch.optim.SGD, lr=0.0)
    module = game(adversarial=Weight(2.0, ramp=4 * step), generator_optimizer=still, discriminator_optimizer=still)
    whole = game(adversarial=Weight(2.0), generator_optimizer=still, discriminator_optimizer=still)
    rising, full = (play(each, 2).callback_metrics for each in (module, whole))
    for name in ("generator/adversarial", "generator/adversarial_back"):
        torch.testing.assert_close(rising[name], full[name] / 4)


def test_without_its_verdict_a_cycle_is_two_autoencoders() -> None:
    story = Story()
    play(game(adversarial=Weight(0.0)), 2, story)
    assert story.moved == [False, False]
    assert story.counted == [set(), set()]
    with pytest.raises(UserError, match=r"adversarial.start is 3 kimg, but the run ends at 2"):
        game(adversarial=Weight(start=3.0)).check_length(2.0)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_an_adaptive_weight_measures_each_way_by_its_own_generator(accumulate: int) -> None:
    still = partial(torch.optim.SGD, lr=0.0)
    module = game(adversarial=AdaptiveWeight(0.8), accumulate=accumulate, discriminator_optimizer=still)
    g, d = copy.deepcopy(module.generator), copy.deepcopy(module.discriminator)
    metrics = play(module, 1).callback_metrics
    x, y, _ = next(iter(Two(1)))
    label = torch.zeros(BATCH, dtype=torch.int64)

    def made(way: str, items: Tensor) -> Tensor:
        return getattr(g, way)(items, label).output

    others = 10 * (
        (made("back", made("there", x)) - x).abs().mean() + (made("there", made("back", y)) - y).abs().mean()
    )
    others = others + 5 * ((made("there", y) - y).abs().mean() + (made("back", x) - x).abs().mean())
    whole = others
    for way, items, suffix in (("there", x, ""), ("back", y, "_back")):
        fooled = getattr(d, way)(made(way, items), label).logits[0]
        adversarial = LeastSquares().generator(type("V", (), {"fake_logits": fooled}))
        last = getattr(g, way).decoder[2].weight
        norms = [torch.autograd.grad(term, last, retain_graph=True)[0].norm() for term in (others, adversarial)]
        ratio = norms[0] / (norms[1] + 1e-6)
        assert float(metrics[f"adversarial/ratio{suffix}"]) == pytest.approx(float(ratio), rel=1e-4)
        whole = whole + 0.8 * ratio.detach() * adversarial
    expected = torch.autograd.grad(whole, list(g.parameters()))
    for one, other in zip(module.generator.parameters(), expected, strict=True):
        torch.testing.assert_close(one.grad, other, rtol=1e-4, atol=1e-6)


def test_a_way_that_does_not_learn_is_not_measured() -> None:
    module = game(adversarial=AdaptiveWeight())
    module.keep_still([f"generator.back.{name}" for name, _ in module.generator.back.named_parameters()])
    before = weights(module.generator.back)
    metrics = play(module, 1).callback_metrics
    assert "adversarial/ratio" in metrics
    assert "adversarial/ratio_back" not in metrics
    assert torch.equal(weights(module.generator.back), before)


def test_several_criteria_are_told_apart_and_regularizers_see_both_ways() -> None:
    module = game(cycle=[L1(), L2(name="square")], identity=None, regularizers=[R1(weight=0.1)])
    found = set(play(module, 1).callback_metrics)
    assert {f"generator/cycle-{name}{way}" for name in ("l1", "square") for way in ("", "_back")} <= found
    assert {"discriminator/r1", "discriminator/r1_back"} <= found
    assert not [name for name in found if "identity" in name]


def test_pools_hold_what_was_made_in_steps_that_were_taken() -> None:
    module = game(pool=10)
    made = []
    original = module.discriminator_terms

    def noting(batch: Pair) -> dict[str, Tensor]:
        terms = original(batch)
        made.append(module.fresh["there"][-1])
        return terms

    module.discriminator_terms = noting
    play(module, 1)
    assert torch.equal(module.pools["there"].items, made[0])
    play(module, 3, broken=1)
    assert module.skipped == {"discriminator/adversarial_back": 1, "generator/adversarial": 1}
    assert len(module.pools["there"].items) == 10
    assert bool(module.pools["there"].items.isfinite().all())
    assert module.pools["back"].items.shape == (10, *SHAPE)
    saved: dict[str, Any] = {"loops": 0, "epoch": 0, "global_step": 0}
    module.on_save_checkpoint(saved)
    other = game(pool=10)
    other.on_load_checkpoint({**saved, "optimizer_states": [0, 0]})
    assert torch.equal(other.pools["back"].items, module.pools["back"].items)


def test_the_average_answers_both_ways() -> None:
    module = game()
    pair = next(iter(Two(1)))
    sampled = module.sample(pair)
    label = torch.zeros(BATCH, dtype=torch.int64)
    assert sampled.reference is pair.target
    assert sampled.source is pair.source
    assert torch.equal(sampled.output, module.ema.module.there(pair.source, label).output)
    assert torch.equal(sampled.side["back"], module.ema.module.back(pair.target, label).output)
    assert sampled.side["back_reference"] is pair.source
    assert module.takes_data


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"cycle": []}, "model.init_args.cycle is empty"),
        ({"generator": Translator(SHAPE)}, "model.init_args.generator is one Translator"),
        ({"discriminator": Judge(SHAPE)}, "model.init_args.discriminator is one Judge"),
        ({"generator_regularizers": [PathLength()]}, "generator_regularizers is of no use to CycleTranslation"),
        ({"pool": -1}, "model.init_args.pool"),
    ],
)
def test_a_game_without_two_ways_is_refused(parts: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        game(**parts)
