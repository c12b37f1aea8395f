"""The discriminator that looks through a trained network: how it is made, what of it learns, what it refuses."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ganlit.contracts import Judgement
from ganlit.errors import UserError
from ganlit.metrics.extractors import extractor
from ganlit.metrics.images.borrowed import TrainedSight
from ganlit.networks.images.projected import Judge, ProjectedDiscriminator

LABEL = torch.tensor([0, 2])


def small(classes: int = 3, depths: int = 4, extractor: str = "efficientnet-lite0") -> ProjectedDiscriminator:
    torch.manual_seed(0)
    return ProjectedDiscriminator(TrainedSight(extractor), 64, depths, classes, width=4).eval()


def images(side: int = 64, channels: int = 3) -> Tensor:
    return torch.rand(2, channels, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


def reference(network: ProjectedDiscriminator, item: Tensor, label: Tensor) -> list[Tensor]:
    """The discriminator written out, with the weights as it uses them."""
    seen = extractor("efficientnet-lite0").inside((item + 1) * 127.5)[:4]
    across, upwards = network.mixing.across, network.mixing.upwards
    mixed = [F.conv2d(each, layer.weight) for each, layer in zip(seen, across, strict=True)]
    for depth in (2, 1, 0):
        below = F.interpolate(mixed[depth + 1], scale_factor=2, mode="bilinear", align_corners=False)
        mixed[depth] = mixed[depth] + F.conv2d(below, upwards[depth].weight, padding=1)
    return [judged(each, x, label) for each, x in zip(network.networks, mixed, strict=True)]


def judged(judge: Judge, x: Tensor, label: Tensor) -> Tensor:
    for layer in judge.halving:
        x = F.leaky_relu(F.conv2d(x, layer.weight, layer.bias, stride=2, padding=1), 0.2)
    x = F.leaky_relu(F.conv2d(x, judge.last.weight, judge.last.bias, padding=1), 0.2)
    liked = (x * judge.embedding.weight[label][:, :, None, None]).sum(1)
    return F.conv2d(x, judge.logits.weight, judge.logits.bias)[:, 0] + liked


def test_it_is_what_is_said() -> None:
    network = small()
    found = Judgement.of(network(images(), LABEL)).logits
    assert [each.shape for each in found] == [(2, 4, 4)] * 4
    for one, other in zip(found, reference(network, images(), LABEL), strict=True):
        torch.testing.assert_close(one, other)


def test_what_is_trained_already_and_what_is_drawn_never_learn() -> None:
    network, item = small().train(), images().requires_grad_()
    kept = copy.deepcopy(network.state_dict())
    assert not any("sight" in name for name in kept)
    sum(each.square().mean() for each in network(item, LABEL).logits).backward()
    assert item.grad.abs().sum() > 0
    for name, weight in network.named_parameters():
        assert (weight.grad is None) == name.startswith("mixing."), name
        assert weight.requires_grad != name.startswith("mixing."), name


def test_each_network_has_a_norm_of_one() -> None:
    for each in small().networks:
        for layer in (*each.halving, each.last, each.logits, each.embedding):
            assert torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item() == pytest.approx(1, abs=0.2)


def test_two_of_one_seed_are_one_and_what_is_borrowed_draws_nothing() -> None:
    one, other = small(), small()
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))
    before = torch.get_rng_state()
    TrainedSight().inside(images())
    assert torch.equal(before, torch.get_rng_state())


def test_grey_is_a_colour_and_any_size_is_seen() -> None:
    network = small()
    grey = images(channels=1)
    colour = network(grey.expand(-1, 3, -1, -1), LABEL).logits
    for one, other in zip(network(grey, LABEL).logits, colour, strict=True):
        torch.testing.assert_close(one, other)
    assert [each.shape for each in network(images(side=32), LABEL).logits] == [(2, 4, 4)] * 4


def test_a_class_counts_where_there_are_classes() -> None:
    assert not torch.equal(small()(images(), LABEL).logits[0], small()(images(), LABEL.flip(0)).logits[0])
    plain = small(classes=0)
    assert torch.equal(plain(images(), LABEL).logits[0], plain(images(), LABEL.flip(0)).logits[0])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"depths": 9}, "ProjectedDiscriminator.depths is 9, but its sight has 5 at a resolution of 64"),
        ({"depths": 0}, "ProjectedDiscriminator.depths is 0"),
        ({"classes": -1}, "ProjectedDiscriminator.classes is -1"),
        ({"extractor": "efficientnet-lite"}, "unknown extractor efficientnet-lite"),
    ],
)
def test_what_cannot_be_is_refused(options: dict, said: str) -> None:
    with pytest.raises(UserError) as refused:
        small(**options)
    assert said in str(refused.value)
