"""Generators that take data: what each player's objective is, and from when on."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib.image
import pytest
import torch
from lightning.pytorch import Callback, Trainer
from noises import Noises, Turned
from remains import same
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence
from torch.utils.data import DataLoader, IterableDataset
from translators import Judge, Sampler, Translator

from ganlit.augment.base import Augment
from ganlit.callbacks.anneal import Anneal
from ganlit.callbacks.budget import Budget
from ganlit.callbacks.samples import Samples
from ganlit.contracts import Labelled, Made, Pair, Verdict
from ganlit.data.base import GanDataModule
from ganlit.data.images.modality import ImageModality
from ganlit.ema import EMA
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating
from ganlit.losses.base import Attempt
from ganlit.losses.likelihood import KL
from ganlit.losses.quantization import Commitment
from ganlit.losses.reconstruction import L1, L2, FeatureMatching
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1
from ganlit.losses.weight import AdaptiveWeight, Weight
from ganlit.networks.images.autoencoder import VQAutoencoder
from ganlit.networks.images.patchgan import PatchDiscriminator
from ganlit.networks.quantizers import VectorQuantizer
from ganlit.tasks.translation import Translation, refuse_codebook

BATCH = 16
SHAPE = (1, 8, 8)


class Pairs(IterableDataset):
    """Noise, to be turned upside down."""

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[Pair]:
        stream = torch.Generator().manual_seed(0)
        for _ in range(self.batches):
            source = torch.rand(BATCH, *SHAPE, generator=stream) * 2 - 1
            yield Pair(source, source.flip(2))


def game(**parts: Any) -> Translation:
    torch.manual_seed(0)
    sgd = partial(torch.optim.SGD, lr=0.1)
    defaults = {
        "generator": Translator(SHAPE),
        "discriminator": Judge(SHAPE),
        "loss": NonSaturating(),
        "criteria": [L1()],
        "generator_optimizer": sgd,
        "discriminator_optimizer": sgd,
        "ema": partial(EMA, half_life=2.0, rampup=None),
    }
    return Translation(**(defaults | parts))


def play(module: Translation, batches: int, *callbacks: Callback) -> Trainer:
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = Trainer(max_epochs=1, accelerator="cpu", callbacks=list(callbacks), **quiet)
    trainer.fit(module, DataLoader(Pairs(batches), batch_size=None))
    return trainer


def weights(module: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten().clone() for parameter in module.parameters()])


def descended(network: nn.Module, objective: Tensor) -> None:
    gradients = torch.autograd.grad(objective, list(network.parameters()), allow_unused=True)
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        if gradient is not None:
            parameter.data -= 0.1 * gradient


@pytest.mark.parametrize("conditional", [False, True])
def test_one_step_equals_the_game_written_by_hand(conditional: bool) -> None:
    criteria = [L1(weight=2.0), KL(weight=0.5), FeatureMatching(weight=3.0)]
    discriminator = Judge((2, 8, 8) if conditional else SHAPE)
    module = game(
        criteria=criteria, discriminator=discriminator, conditional=conditional, adversarial=Weight(weight=0.7)
    )
    g, d = copy.deepcopy(module.generator), copy.deepcopy(module.discriminator)
    trainer = play(module, 1)
    source, target, _ = next(iter(Pairs(1)))
    label = torch.zeros(BATCH, dtype=torch.int64)

    def judged(items: Tensor) -> tuple[Tensor, Tensor]:
        (logits,), ((inside,),) = d(torch.cat([source, items], 1) if conditional else items, label)
        return logits, inside

    true, false = judged(target)[0], judged(g(source, label).output.detach())[0]
    descended(d, -true.sigmoid().log().mean() - (1 - false.sigmoid()).log().mean())
    made = g(source, label)
    logits, inside = judged(made.output)
    terms = {
        "l1": 2.0 * (made.output - target).abs().mean(),
        "kl": 0.5 * kl_divergence(made.side["posterior"], Normal(0.0, 1.0)).sum() / target.numel(),
        "featurematching": 3.0 * (inside - judged(target)[1].detach()).abs().mean(),
        "adversarial": -0.7 * logits.sigmoid().log().mean(),
    }
    descended(g, sum(terms.values()))

    torch.testing.assert_close(weights(module.discriminator), weights(d), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(weights(module.generator), weights(g), rtol=1e-5, atol=1e-6)
    for name, value in terms.items():
        torch.testing.assert_close(trainer.callback_metrics[f"generator/{name}"], value.detach(), rtol=1e-5, atol=1e-6)


def test_items_alone_are_their_own_targets() -> None:
    items = Labelled(torch.rand(4, *SHAPE), torch.arange(4))
    pair = Pair.of(items)
    assert pair.source is pair.target is items.item
    assert pair.label is items.label
    assert Pair.of(pair) is pair
    sampled = game().sample(items)
    assert sampled.reference is sampled.source is items.item
    assert "posterior" in sampled.side


def by_the_paper(module: Translation, factor: float) -> tuple[list[Tensor], Tensor]:
    """The generator's gradient and the ratio, as VQGAN's equation 7 has them."""
    source, target, _ = next(iter(Pairs(1)))
    label = torch.zeros(BATCH, dtype=torch.int64)
    made = module.generator(source, label)
    others = (made.output - target).abs().mean() + KL(0.5).term(as_attempt(source, target, made))
    adversarial = -module.discriminator(made.output, label).logits[0].sigmoid().log().mean()
    last = module.generator.decoder[2].weight
    norms = [torch.autograd.grad(term, last, retain_graph=True)[0].norm() for term in (others, adversarial)]
    ratio = (norms[0] / (norms[1] + 1e-6)).clamp(0, 1e4).detach()
    return torch.autograd.grad(others + factor * ratio * adversarial, list(module.generator.parameters())), ratio


def as_attempt(source: Tensor, target: Tensor, made: Made) -> Attempt:
    return Attempt(source, Verdict(lambda items: items, target, made.output, side=made.side))


@pytest.mark.parametrize("accumulate", [1, 4])
def test_an_adaptive_weight_is_that_of_the_paper(accumulate: int) -> None:
    module = game(criteria=[L1(), KL(0.5)], adversarial=AdaptiveWeight(0.8), accumulate=accumulate)
    module.weight.judges = lambda kimg: False  # the discriminator stays as it is
    expected, ratio = by_the_paper(copy.deepcopy(module), 0.8)
    metrics = play(module, 1).callback_metrics
    found = [parameter.grad for parameter in module.generator.parameters()]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-7)
    assert float(metrics["adversarial/ratio"]) == pytest.approx(float(ratio), rel=1e-4)


def test_its_ratio_is_bounded() -> None:
    weight = AdaptiveWeight(most=10.0)
    assert weight.ratio(torch.ones(3), torch.zeros(3)) == 10
    assert weight.ratio(torch.ones(4), torch.ones(1)) == pytest.approx(2.0, rel=1e-5)
    assert weight.ratio(torch.zeros(3), torch.ones(3)) == 0


def test_a_generator_may_name_its_last_layer() -> None:
    module = game()
    assert module.last_layer(module.generator) is module.generator.decoder[2].weight
    module.generator.last_layer = module.generator.encoder[1].weight
    assert module.last_layer(module.generator) is module.generator.encoder[1].weight


def test_an_adaptive_weight_needs_both_sides_at_the_last_layer() -> None:
    with pytest.raises(UserError, match="last layer of Translator, of which no criterion says anything: name a crit"):
        play(game(criteria=[KL()], adversarial=AdaptiveWeight()), 1)
    module = game(adversarial=AdaptiveWeight())
    module.generator.last_layer = nn.Parameter(torch.ones(2, 2))
    module.generator_terms = lambda batch: {
        "l1": module.generator.last_layer.sum(),
        "adversarial": module.generator.decoder[2].weight.sum(),
    }
    with pytest.raises(UserError, match="of which the discriminator says anything"):
        play(module, 1)


class Movements(Callback):
    """Who has moved, and which terms there were, step by step."""

    def __init__(self) -> None:
        self.moved: list[tuple[bool, bool]] = []
        self.terms: list[set[str]] = []

    def on_train_batch_start(self, trainer: Trainer, pl_module: Translation, *_: Any) -> None:
        self.before = [weights(network) for network in (pl_module.discriminator, pl_module.generator)]
        pl_module.latest = {}

    def on_train_batch_end(self, trainer: Trainer, pl_module: Translation, *_: Any) -> None:
        now = [weights(network) for network in (pl_module.discriminator, pl_module.generator)]
        self.moved.append(tuple(not torch.equal(a, b) for a, b in zip(self.before, now, strict=True)))
        self.terms.append({name for name in pl_module.latest if name.startswith("generator/")})


def test_the_discriminator_warms_up_before_it_counts() -> None:
    step = BATCH / 1000
    moves = Movements()
    module = game(criteria=[L1(), FeatureMatching()], adversarial=Weight(start=4 * step, lead=2 * step))
    play(module, 6, moves)
    assert moves.moved == [(False, True), (False, True), (True, True), (True, True), (True, True), (True, True)]
    alone, both = {"generator/l1"}, {"generator/l1", "generator/featurematching", "generator/adversarial"}
    assert moves.terms == [alone] * 4 + [both] * 2


def test_a_term_that_counts_nothing_needs_no_discriminator() -> None:
    moves = Movements()
    play(game(adversarial=Weight(0.0)), 2, moves)
    assert moves.moved == [(False, True)] * 2
    assert moves.terms == [{"generator/l1"}] * 2


def test_the_factor_rises_from_its_start_on() -> None:
    weight = Weight(2.0, start=10.0, lead=4.0, ramp=5.0)
    assert [weight.at(kimg) for kimg in (0, 9.99, 10, 12.5, 15, 99)] == [0, 0, 0, 1.0, 2.0, 2.0]
    assert [weight.judges(kimg) for kimg in (0, 5.99, 6.0)] == [False, False, True]
    assert Weight().at(0) == 1
    weight.scale = 0.5
    assert weight.at(99) == 1


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: game(criteria=[]), r"criteria is empty: name one, such as L1\."),
        (lambda: game(criteria=[L1(), L1(0.5)]), r"criteria has l1 2 times: give each a name of its own\."),
        (lambda: game(criteria=[L1(name="adversarial")]), "calls a criterion adversarial"),
        (
            lambda: Weight(start=1.0, lead=2.0),
            r"Weight.lead is 2 kimg, .* 1 before Weight.start: start later",
        ),
        (lambda: Weight(-1.0), "Weight.weight is -1.0: it must be at least 0"),
        (lambda: L1(-1.0), "L1.weight is -1.0"),
    ],
)
def test_what_means_nothing_is_refused(build: Callable[[], object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        build()
    assert game(criteria=[L1(), L1(0.5, name="more")]).criteria[1].name == "more"


def test_a_start_beyond_the_end_is_refused() -> None:
    module = game(adversarial=Weight(start=3.0))
    with pytest.raises(UserError, match=r"adversarial.start is 3 kimg, but the run ends at 2: start earlier"):
        play(module, 1, Budget(2.0))
    game(adversarial=Weight(0.0, start=3.0)).check_length(2.0)


def on_noises(module: Translation, *callbacks: Callback, data: GanDataModule | None = None, **options: Any) -> None:
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    quiet["num_sanity_val_steps"] = 0
    trainer = Trainer(max_epochs=-1, accelerator="cpu", callbacks=[Budget(0.04), *callbacks], **quiet, **options)
    trainer.fit(module, data or Noises(batch=10, tick=0.1, val_images=10))


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"generator": Translator((1, 8, 8))}, "sampling fails with these data: generator Translator"),
        ({"discriminator": Judge((1, 8, 8))}, "discriminator's turn fails"),
        ({"criteria": [L1(), KL(), FeatureMatching()]}, None),
    ],
)
def test_parts_that_do_not_fit_are_told_before_training(parts: dict[str, Any], sentence: str | None) -> None:
    shape = (1, 16, 16)
    module = game(
        **({"generator": Sampler(shape), "discriminator": Judge(shape)} | parts), adversarial=Weight(start=0.01)
    )
    with nullcontext() if sentence is None else pytest.raises(UserError, match=sentence):
        on_noises(module)


class Bare(nn.Module):
    """A discriminator without features, and a criterion's worst enemy."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(256, 1)

    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        return self.layer(item.flatten(1))[:, 0]


def test_what_is_not_handed_out_is_told_before_training_though_it_is_asked_for_later() -> None:
    module = game(
        generator=Sampler(),
        discriminator=Bare(),
        criteria=[L1(), FeatureMatching()],
        adversarial=Weight(start=0.015),
    )
    with pytest.raises(UserError, match="the discriminator hands out no features"):
        on_noises(module)
    assert module.images_seen == 0


def test_a_criterion_names_what_the_generator_lacks() -> None:
    class Plain(Translator):
        def forward(self, source: Tensor, label: Tensor) -> Tensor:
            return super().forward(source, label).output

    with pytest.raises(UserError, match="KL reads the generator's posterior, which it does not hand out: leave"):
        play(game(generator=Plain(SHAPE), criteria=[KL()]), 1)


def test_source_and_target_are_augmented_alike() -> None:
    class Turn(Augment):
        def forward(self, items: Tensor) -> Tensor:
            seen.append(items)
            return items.flip(2)

    seen: list[Tensor] = []
    module = game(conditional=True, discriminator=Judge((2, 8, 8)), augment=Turn())
    play(module, 1)
    assert all(items.shape[1] == 2 for items in seen)
    source = next(iter(Pairs(1))).source
    assert all(torch.equal(items[:, :1], source) for items in seen)


def test_regularizers_of_both_players_join() -> None:
    module = game(
        regularizers=[R1(0.5)],
        generator_regularizers=[PathLength(0.1, every=1)],
        conditional=True,
        discriminator=Judge((2, 8, 8)),
    )
    metrics = play(module, 1).callback_metrics
    assert metrics["discriminator/r1"] > 0
    assert metrics["generator/pathlength"] > 0


def test_a_prior_is_sampled_beside_the_reconstruction() -> None:
    module = game(generator=Sampler(SHAPE)).eval()
    items = Labelled(torch.rand(5, *SHAPE), torch.zeros(5, dtype=torch.int64))
    torch.manual_seed(1)
    prior = module.sample(items).side["prior"]
    assert prior.shape == items.item.shape
    torch.manual_seed(2)
    again = module.sample(items)
    assert not torch.equal(again.side["prior"], prior)
    torch.testing.assert_close(again.output, module.ema.module(items.item, items.label).output)


def test_reconstruction_is_learnt() -> None:
    module = game(
        generator_optimizer=partial(torch.optim.Adam, lr=0.01), criteria=[L2()], adversarial=Weight(0.01, start=1.0)
    )
    first = play(copy.deepcopy(module), 1).callback_metrics["generator/l2"]
    last = play(module, 150).callback_metrics["generator/l2"]
    assert last < 0.97 * first


class Coded(Translator):
    """Gives each item one code of many."""

    codes, levels = 65, 1

    def forward(self, source: Tensor, label: Tensor) -> Made:
        output, side = super().forward(source, label)
        return Made(output, {**side, "codes": torch.zeros(len(source), self.levels, dtype=torch.int64)})


@pytest.mark.parametrize("levels", [1, 3])
def test_a_codebook_larger_than_the_data_is_refused(levels: int) -> None:
    coded = Coded((1, 16, 16))
    coded.levels = levels
    with pytest.raises(
        UserError, match=r"has 65 codes, but noises-train only 64 places for them, 1 in each image: take"
    ):
        on_noises(game(generator=coded, discriminator=Judge((1, 16, 16))))
    coded.codes = 64
    on_noises(game(generator=coded, discriminator=Judge((1, 16, 16))))


def test_a_codebook_has_the_places_of_what_is_trained_on() -> None:
    trained, held = (Noises(count=count, batch=1).reference for count in (64, 2))
    data = SimpleNamespace(trained_on=trained, reference=held, modality=ImageModality())
    refuse_codebook(64, 1, data)
    with pytest.raises(UserError, match="only 64 places"):
        refuse_codebook(65, 1, data)


def tokenizer(**parts: Any) -> Translation:
    """A quantizer that starts, follows by moving average and revives, and batch statistics: all that remembers."""
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3)
    quantizer = VectorQuantizer(8, 4, half_life=0.05, patience=0.02)
    defaults = {
        "generator": VQAutoencoder(quantizer, 16, channels=1, width=4, multipliers=(1, 2), blocks=1),
        "discriminator": PatchDiscriminator(1, field=16, norm="batch", width=4),
        "criteria": [L1(), Commitment()],
        "adversarial": AdaptiveWeight(0.5),
        "generator_optimizer": adam,
        "discriminator_optimizer": adam,
    }
    return game(**(defaults | parts))


def state(module: Translation) -> dict[str, Any]:
    optimizers = [optimizer.state_dict() for optimizer in module.trainer.optimizers]
    return copy.deepcopy({"module": dict(module.state_dict()), "optimizers": optimizers})


def flattened(found: dict[str, Any]) -> dict[str, Any]:
    return {f"module.{name}": value for name, value in found["module"].items()} | {"optimizers": found["optimizers"]}


class Spoilt(Callback):
    """One source of a batch is no number, at some clock."""

    def __init__(self, clock: int) -> None:
        self.clock = clock

    def on_train_batch_start(self, trainer: Trainer, pl_module: Translation, batch: Labelled, *_: Any) -> None:
        self.before = state(pl_module)
        if pl_module.images_seen == self.clock:
            batch.item[0] = torch.nan

    def on_train_batch_end(self, trainer: Trainer, pl_module: Translation, *_: Any) -> None:
        if pl_module.images_seen == self.clock + 10:
            before, now = (  # the average goes on towards what has not moved
                {name: value for name, value in flattened(each).items() if not name.startswith("module.ema.")}
                for each in (self.before, state(pl_module))
            )
            self.kept = same(before, now)


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("clock", [0, 10])
def test_a_batch_that_is_no_number_leaves_no_trace_not_even_in_a_codebook(clock: int, accumulate: int) -> None:
    spoilt, module = Spoilt(clock), tokenizer(accumulate=accumulate)
    on_noises(module, spoilt)
    assert spoilt.kept
    assert module.skipped == {"discriminator/adversarial": 1, "generator/l1": 1}
    assert all(bool(value.isfinite().all()) for value in module.state_dict().values())
    assert module.generator.bottleneck.started


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_both_players_learn_in_every_precision(precision: str) -> None:
    module = tokenizer(accumulate=2)
    before = [weights(network) for network in (module.generator, module.discriminator)]
    on_noises(module, precision=precision)
    for old, network in zip(before, (module.generator, module.discriminator), strict=True):
        assert not torch.equal(old, weights(network))
    assert all(bool(value.isfinite().all()) for value in module.state_dict().values())


def test_pairs_go_the_whole_way_with_source_output_and_target_in_one_picture(tmp_path: Path) -> None:
    module = game(
        generator=Translator((1, 16, 16)), discriminator=Judge((2, 16, 16)), conditional=True, adversarial=Weight(0.1)
    )
    data = Turned(batch=10, tick=0.02, val_images=10)
    on_noises(module, Samples(rows=3, columns=4), data=data, default_root_dir=tmp_path)
    assert module.populated == [0]
    shown = matplotlib.image.imread(tmp_path / "samples" / "kimg000000.0.png")[..., 0]
    tiles = [[shown[2 + 18 * row :, 2 + 18 * column :][:16, :16] for column in range(4)] for row in range(3)]
    for source, output, target in zip(*tiles, strict=True):
        assert (source == target[::-1]).all()
        assert not (output == target).all()


def test_sources_that_cannot_stand_beside_their_targets_are_refused() -> None:
    module = game(generator=Translator((1, 16, 16)), discriminator=Judge((2, 16, 16)), conditional=True)
    with pytest.raises(
        UserError, match=r"has sources of \[1, 8, 8\] and targets of \[1, 16, 16\], which .*conditional"
    ):
        on_noises(module, data=Turned(smaller=2, batch=10, tick=0.02, val_images=10))


def test_the_weight_of_the_adversarial_term_can_be_led_to_another() -> None:
    class Weights(Callback):
        seen: list[float] = []  # noqa: RUF012

        def on_train_batch_end(self, trainer: Trainer, pl_module: Translation, *_: Any) -> None:
            self.seen.append(round(pl_module.weight.at(pl_module.kimg), 6))

    weights, module = Weights(), tokenizer(adversarial=Weight(0.8))
    on_noises(module, Anneal(end=0.04, what="adversarial", to=0.4, share=0.5), weights)
    assert weights.seen == [0.8, 0.8, 0.8, 0.6]
    assert module.weight.weight == 0.8  # a second fit begins as configured
