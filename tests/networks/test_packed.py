"""Discriminators that judge packs, whatever is inside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from jsonargparse import ArgumentParser
from torch import nn

from ganlit.contracts import Judgement, Verdict, over_networks
from ganlit.errors import UserError
from ganlit.losses.adversarial import NonSaturating, Relativistic
from ganlit.losses.base import AdversarialLoss
from ganlit.losses.regularizers.gradient import R1, R2, GradientPenalty, slope
from ganlit.networks.images.dcgan import DCDiscriminator
from ganlit.networks.images.multiscale import MultiscaleDiscriminator
from ganlit.networks.images.patchgan import PatchDiscriminator
from ganlit.networks.images.stylegan import StyleDiscriminator
from ganlit.networks.images.unet_discriminator import UNetDiscriminator
from ganlit.networks.images.vgg_discriminator import VGGDiscriminator
from ganlit.networks.packed import Packed
from ganlit.networks.plane.mlp import PlaneDiscriminator
from ganlit.networks.several import Several

INSIDE: dict[str, Callable[[int], nn.Module]] = {
    "dcgan": lambda channels: DCDiscriminator(32, channels, width=4),
    "stylegan": lambda channels: StyleDiscriminator(32, channels, channel_base=128, channel_max=8),
    "patchgan": lambda channels: PatchDiscriminator(channels, field=16, width=4),
    "multiscale": lambda channels: MultiscaleDiscriminator(channels, scales=2, field=16, width=4),
    "unet": lambda channels: UNetDiscriminator(channels, width=4),
    "vgg": lambda channels: VGGDiscriminator(32, channels, width=4),
}


@pytest.mark.parametrize("name", INSIDE)
@pytest.mark.parametrize("items", [1, 2, 3])
def test_every_discriminator_of_images_judges_packs(name: str, items: int) -> None:
    torch.manual_seed(0)
    inside = INSIDE[name](3 * items).eval()
    images, label = torch.randn(6, 3, 32, 32), torch.zeros(6, dtype=torch.int64)
    found = Judgement.of(Packed(inside, items)(images, label))
    packs = torch.stack([torch.cat([*images[first : first + items]]) for first in range(0, 6, items)])
    expected = Judgement.of(inside(packs, label[: 6 // items]))
    for one, other in zip(found.logits, expected.logits, strict=True):
        assert one.shape[0] == 6 // items
        torch.testing.assert_close(one, other)
    assert len(found.features) == len(expected.features)


def game(items: int = 2) -> tuple[Packed, torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    judge = Packed(PlaneDiscriminator(2 * items, width=8, depth=2, pieces=2), items).double()
    nn.init.normal_(judge.network.last.weight)
    real, fake = torch.randn(2, 12, 2, dtype=torch.float64).unbind()
    return judge, real, fake, torch.zeros(12, dtype=torch.int64)


def test_the_gradient_is_by_the_whole_pack() -> None:
    judge, real, fake, label = game()
    packs = real.view(6, 4).clone().requires_grad_()
    real.requires_grad_()
    found = slope(judge(real, label), real)
    assert found.shape == (6, 4)
    assert torch.equal(found, slope(judge.network(packs, label[::2]), packs))
    inside = Verdict(lambda x: judge.network(x, label[::2]), packs, packs)
    whole = Verdict(lambda x: judge(x, label), real, real)
    for penalty in (R1(1.0), R2(1.0)):
        assert penalty(whole).item() == pytest.approx(penalty(inside).item())
    fake.requires_grad_()
    assert GradientPenalty(1.0)(Verdict(lambda x: judge(x, label), real, fake)).isfinite()


@pytest.mark.parametrize("loss", [NonSaturating(), Relativistic()], ids=["pairs", "alone"])
@pytest.mark.parametrize("parts", [2, 3])
def test_micro_batches_of_whole_packs_are_one_batch(loss: AdversarialLoss, parts: int) -> None:
    judge, real, fake, label = game()
    gradients = []
    for count in (1, parts):
        judge.zero_grad()
        for share in zip(real.chunk(count), fake.chunk(count), label.chunk(count), strict=True):
            one, other = (each.detach().requires_grad_() for each in share[:2])
            verdict = Verdict(lambda x, its=share[2]: judge(x, its), one, other)
            penalty = R1(0.5).term(verdict)
            ((over_networks(loss.discriminator, verdict) + penalty) / count).backward()
        gradients.append(torch.cat([each.grad.flatten() for each in judge.parameters()]))
    assert gradients[0].norm() > 1e-3
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-10, atol=1e-12)


def test_beside_one_that_sees_single_items() -> None:
    judge, real, _, label = game()
    both = Several([judge, PlaneDiscriminator(width=4).double()])
    assert [len(each) for each in both(real, label).logits] == [6, 12]
    real.requires_grad_()
    seen = Verdict(lambda x: both(x, label), real, real)
    for penalty in (R1(1.0), GradientPenalty(1.0)):
        assert penalty.term(seen).isfinite()


def test_what_cannot_be_packed_is_refused() -> None:
    judge, real, _, label = game(5)
    with pytest.raises(
        UserError, match=r"Packed\.items is 5, which does not divide the 12 items.*data\.init_args\.batch"
    ):
        judge(real, label)
    with pytest.raises(UserError, match=r"Packed\.network knows 8 classes"):
        Packed(PlaneDiscriminator(classes=8))
    with pytest.raises(UserError, match=r"Packed\.items is 0"):
        Packed(PlaneDiscriminator(), 0)
    with pytest.raises(UserError, match=r"PlaneDiscriminator\.channels is 2, but it is shown items of \[4\]"):
        Packed(PlaneDiscriminator(), 2)(real, label)


def test_it_is_named_and_set_in_yaml() -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--network", type=nn.Module)
    inside = {"class_path": "DCDiscriminator", "init_args": {"resolution": 32, "channels": 6}}
    given = {"class_path": "Packed", "init_args": {"network": inside, "items": 2}}
    network = parser.instantiate(parser.parse_object({"network": given})).network
    assert network(torch.zeros(4, 3, 32, 32), torch.zeros(4, dtype=torch.int64)).shape == (2,)
