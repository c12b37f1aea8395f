"""Discriminators of several networks that hand out what is inside them, and generators that hand out more."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from points import PointDiscriminator, PointGenerator
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ganlit.augment.base import Augment
from ganlit.contracts import Judgement, Labelled, Made, Verdict, over_networks
from ganlit.errors import UserError
from ganlit.losses.adversarial import Hinge, LeastSquares, NonSaturating, Relativistic, Wasserstein
from ganlit.losses.regularizers.base import GeneratorRegularizer
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1, R2, GradientPenalty
from ganlit.tasks.synthesis import Synthesis

LOSSES = (NonSaturating, Hinge, Wasserstein, LeastSquares, Relativistic)
PENALTIES = (R1, R2, GradientPenalty)


class Judges(nn.Module):
    """Networks side by side, the first of which has several logits an item, as a discriminator of patches has."""

    def __init__(self, *networks: nn.Module, features: bool = False) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.features = features
        self.passes = 0

    def forward(self, item: Tensor, label: Tensor) -> list[Tensor] | Judgement:
        self.passes += 1
        logits = [network(item, label) for network in self.networks]
        if not self.features:
            return logits
        return Judgement(logits, [[network[0](item), network[1](network[0](item))] for network in self.networks])


class Patches(PointDiscriminator):
    def forward(self, item: Tensor, label: Tensor) -> Tensor:
        return torch.stack([super().forward(item, label), super().forward(item + 1, label)], dim=1)


class Spare(PointGenerator):
    """Also hands out how far its points lie."""

    def forward(self, z: Tensor, label: Tensor) -> Made:
        output = super().forward(z, label)
        return Made(output, {"commitment": output.square().sum(1)})


class Commitment(GeneratorRegularizer):
    def forward(self, verdict: Verdict) -> Tensor:
        return verdict.side["commitment"].mean()


class FeatureMatching(GeneratorRegularizer):
    def forward(self, verdict: Verdict) -> Tensor:
        pairs = zip(sum(verdict.real_features, []), sum(verdict.fake_features, []), strict=True)  # noqa: RUF017
        return sum((real.detach() - fake).abs().mean() for real, fake in pairs)


class Watching(Augment):
    """Keeps how many logits it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def forward(self, items: Tensor) -> Tensor:
        return items

    def observe(self, verdict: Verdict, images: int) -> None:
        self.seen.append(verdict.real_logits.numel())


def verdict_of(discriminator: nn.Module) -> Verdict:
    stream = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 8, 2, generator=stream, dtype=torch.float64)
    label = torch.zeros(8, dtype=torch.int64)
    return Verdict(lambda items: discriminator(items, label), real.requires_grad_(), fake.requires_grad_())


def networks() -> list[nn.Module]:
    torch.manual_seed(0)
    return [Patches(width=8).double(), PointDiscriminator(width=8).double(), PointDiscriminator(width=8).double()]


def trained(module: Synthesis, batches: int = 3) -> Trainer:
    off = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = Trainer(accelerator="cpu", max_epochs=1, **off)
    data = [Labelled(torch.randn(16, 2), torch.zeros(16, dtype=torch.int64)) for _ in range(batches)]
    trainer.fit(module, DataLoader(data, batch_size=None))
    return trainer


def game(**parts: Any) -> Synthesis:
    torch.manual_seed(0)
    sgd = partial(torch.optim.SGD, lr=0.01)
    defaults = {"generator": PointGenerator(width=8), "loss": NonSaturating()}
    return Synthesis(**(defaults | parts), generator_optimizer=sgd, discriminator_optimizer=sgd)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_a_loss_is_the_mean_of_each_networks(loss: type, player: str) -> None:
    several = Judges(*networks())
    found = over_networks(getattr(loss(), player), verdict_of(several))
    each = [getattr(loss(), player)(verdict_of(network)) for network in several.networks]
    assert torch.allclose(found, torch.stack(each).mean(), rtol=1e-12)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_a_penalty_is_the_mean_of_each_networks(penalty: type) -> None:
    several = Judges(*networks())
    found = []
    for one in (several, *several.networks):
        torch.manual_seed(3)  # the gradient penalty draws points
        found.append(penalty(weight=0.5).term(verdict_of(one)))
    assert torch.allclose(found[0], torch.stack(found[1:]).mean(), rtol=1e-12)
    assert several.passes == 1


def test_all_networks_share_one_pass() -> None:
    several = Judges(*networks(), features=True)
    verdict = verdict_of(several)
    R1(weight=1.0).term(verdict)
    over_networks(Hinge().discriminator, verdict)
    assert [len(inside) for inside in verdict.fake_features] == [2, 2, 2]
    assert verdict.part(1).real_features[0][0] is verdict.real_features[1][0]
    assert several.passes == 2
    assert verdict.real_logits.shape == (2 * 8 + 8 + 8,)
    assert verdict.part(0).real_logits.shape == (8, 2)


def test_one_network_in_a_list_is_that_network() -> None:
    (network,) = networks()[1:2]
    listed = over_networks(NonSaturating().discriminator, verdict_of(Judges(network)))
    assert torch.equal(listed, NonSaturating().discriminator(verdict_of(network)))


def test_only_what_an_objective_asks_for_is_computed() -> None:
    several = Judges(*networks())
    over_networks(NonSaturating().generator, verdict_of(several))
    assert several.passes == 1


def test_features_that_are_not_handed_out_are_told() -> None:
    with pytest.raises(UserError, match="hands out no features: let it return a Judgement"):
        _ = verdict_of(Judges(*networks())).real_features


def test_they_are_trained_as_any_other() -> None:
    torch.manual_seed(1)
    several = Judges(PointDiscriminator(width=8), PointDiscriminator(width=8), features=True)
    augment = Watching()
    module = game(
        generator=Spare(width=8),
        discriminator=several,
        augment=augment,
        regularizers=[R1(weight=0.1), GradientPenalty(weight=1.0)],
        generator_regularizers=[Commitment(weight=0.1), FeatureMatching(weight=1.0), PathLength(weight=0.1, every=1)],
    )
    before = [parameter.clone() for parameter in module.parameters()]
    trainer = trained(module)
    moved = [not torch.equal(*pair) for pair in zip(before, module.parameters(), strict=True)]
    assert all(moved)
    names = {name for name in trainer.callback_metrics if "/" in name}
    assert names >= {f"generator/{name}" for name in ("adversarial", "commitment", "featurematching", "pathlength")}
    assert augment.seen == [32] * 3
    assert {name: values.shape for name, values in module.logits.items()} == {"real": (32,), "fake": (32,)}
    assert module.sample(Labelled(torch.zeros(5, 2), torch.zeros(5, dtype=torch.int64))).output.shape == (5, 2)


def test_equal_networks_play_as_one() -> None:
    one = PointDiscriminator(width=8)
    twins = Judges(one, one)
    single, double = game(discriminator=one), game(discriminator=twins)
    for module in (single, double):
        torch.manual_seed(2)
        one.load_state_dict(PointDiscriminator(width=8).state_dict())
        torch.manual_seed(4)
        trained(module, batches=1)
        module.weights = [parameter.clone() for parameter in module.generator.parameters()]
    assert all(torch.allclose(*pair) for pair in zip(single.weights, double.weights, strict=True))
