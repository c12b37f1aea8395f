"""Every loss, regularizer and augmentation, and the average, give on a device what they give on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from duels import BATCH, DrawnHere, duel
from places import Place, Recorder, relative
from torch import Tensor, nn

from ganlit.augment.adaptive import ADA
from ganlit.augment.base import Augment, Unaugmented
from ganlit.augment.diffaugment import DiffAugment
from ganlit.contracts import Verdict
from ganlit.losses.adversarial import Hinge, LeastSquares, Minimax, NonSaturating, Relativistic, Wasserstein
from ganlit.losses.base import AdversarialLoss
from ganlit.losses.regularizers.base import Regularizer
from ganlit.losses.regularizers.generator import PathLength
from ganlit.losses.regularizers.gradient import R1, R2, GradientPenalty
from ganlit.metrics.features import exact_float32

pytestmark = pytest.mark.gpu

CLOSE = 1e-4  # relative, in float32: sums in another order, met with in second derivatives

Answer = dict[str, Tensor]


def images() -> Tensor:
    return torch.randn(BATCH, 3, 16, 16, generator=torch.Generator().manual_seed(1)).clamp(-1, 1)


def learnt(value: Tensor, network: nn.Module) -> Answer:
    """A value and its gradient by all weights that it reaches."""
    value.backward()
    gradients = {name: weight.grad for name, weight in network.named_parameters() if weight.grad is not None}
    assert gradients
    return {"value": value.detach(), **gradients}


def of_discriminator(device: torch.device, part: AdversarialLoss | Regularizer | Augment) -> Answer:
    """What one of the discriminator's parts asks of it."""
    module = duel(channels=3).to(device)
    label = (torch.arange(BATCH) % 2).to(device)
    augment = part if isinstance(part, Augment) else Unaugmented()
    real, fake = images().to(device), images().flip(0).to(device)
    critic = lambda items: module.discriminator(augment(items), label)  # noqa: E731
    verdict = Verdict(critic, real.requires_grad_(), fake.requires_grad_())
    if isinstance(part, AdversarialLoss):
        return learnt(part.discriminator(verdict) + part.generator(verdict), module.discriminator)
    if isinstance(part, Regularizer):
        return learnt(part.term(verdict), module.discriminator)
    return learnt(R1(1.0).term(verdict), module.discriminator)  # an augmentation is differentiated twice


def of_generator(device: torch.device, part: PathLength) -> Answer:
    module = duel(channels=3).to(device)
    part.to(device)
    latent, made = module.traced((torch.arange(BATCH) % 2).to(device), part.part(BATCH))
    verdict = Verdict(module.discriminator, made.output, made.output, latent)
    return {**learnt(part.term(verdict), module.generator), "mean": part.mean}


PARTS: dict[str, Callable[[], Any]] = {
    **{loss.__name__: loss for loss in (NonSaturating, Minimax, Wasserstein, Hinge, LeastSquares, Relativistic)},
    **{each.__name__: lambda each=each: each(1.0) for each in (R1, R2, GradientPenalty, PathLength)},
    "ADA": lambda: ADA(p=0.9),
    "DiffAugment": DiffAugment,
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_and_its_gradient_are_those_of_the_cpu(place: Place, name: str, record_property: Recorder) -> None:
    ask = of_generator if name == "PathLength" else of_discriminator
    torch.manual_seed(2)
    with DrawnHere(), exact_float32():
        here = ask(torch.device("cpu"), PARTS[name]())
        torch.manual_seed(2)
        with place.there() as device:
            part = PARTS[name]()
            there = ask(device, part.to(device))
            assert {tensor.device.type for tensor in there.values()} == {device.type}
            found = relative(there, here)
    record_property("relative distance to the CPU", found)
    assert found < CLOSE
