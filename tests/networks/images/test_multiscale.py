"""Discriminators at several sizes: what each sees, and what they say together."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganlit.contracts import Judgement, Verdict, over_networks
from ganlit.errors import UserError
from ganlit.losses.adversarial import Hinge
from ganlit.losses.base import Attempt
from ganlit.losses.reconstruction import FeatureMatching
from ganlit.networks.images.multiscale import MultiscaleDiscriminator

LABEL = torch.zeros(2, dtype=torch.long)


def small(scales: int = 3, norm: str = "instance") -> MultiscaleDiscriminator:
    torch.manual_seed(0)
    return MultiscaleDiscriminator(2, scales, field=16, norm=norm, width=4)


def halved(image: Tensor) -> Tensor:
    """The mean of what lies in the image of the 3x3 pixels around every second one."""
    rows, columns = ((side + 1) // 2 for side in image.shape[-2:])
    found = torch.empty(*image.shape[:-2], rows, columns)
    for row in range(rows):
        for column in range(columns):
            top, left = max(2 * row - 1, 0), max(2 * column - 1, 0)
            found[..., row, column] = image[..., top : 2 * row + 2, left : 2 * column + 2].mean(dim=(-2, -1))
    return found


@pytest.mark.parametrize("scales", [1, 2, 3])
def test_each_sees_the_image_at_half_the_size_of_the_one_before(scales: int) -> None:
    net, image = small(scales), torch.randn(2, 2, 25, 40)
    found = net(image, LABEL)
    assert isinstance(found, Judgement)
    assert len(found.logits) == len(found.features) == scales
    for network, logits, features in zip(net.networks, found.logits, found.features, strict=True):
        alone = network(image, LABEL)
        torch.testing.assert_close(logits, alone.logits[0])
        assert [each.shape for each in features] == [each.shape for each in alone.features[0]]
        image = halved(image)


def test_losses_and_features_are_means_over_the_sizes() -> None:
    net = small()
    real, fake = torch.randn(2, 2, 2, 32, 32)
    verdict = Verdict(lambda items: net(items, LABEL), real, fake)
    said = [(net(real, LABEL).logits[each], net(fake, LABEL).logits[each]) for each in range(3)]
    expected = [(1 - one).relu().mean() + (1 + other).relu().mean() for one, other in said]
    torch.testing.assert_close(over_networks(Hinge().discriminator, verdict), torch.stack(expected).mean())
    inside = [net(items, LABEL).features for items in (real, fake)]
    layers = [[(a - b).abs().mean() for a, b in zip(*pair, strict=True)] for pair in zip(*inside, strict=True)]
    expected = torch.stack([torch.stack(each).mean() for each in layers]).mean()
    torch.testing.assert_close(FeatureMatching()(Attempt(real, verdict)), expected)


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_every_weight_is_trained(norm: str) -> None:
    net = small(norm=norm)
    torch.stack([each.square().sum() for each in net(torch.randn(2, 2, 32, 32), LABEL).logits]).sum().backward()
    assert [name for name, each in net.named_parameters() if each.grad is None] == []


def test_bfloat16_comes_out_as_float32_and_float64_as_it_is() -> None:
    image = torch.randn(2, 2, 24, 32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert {each.dtype for each in small()(image, LABEL).logits} == {torch.float32}
    assert {each.dtype for each in small().double()(image.double(), LABEL).logits} == {torch.float64}


def test_what_means_nothing_is_refused() -> None:
    with pytest.raises(UserError, match=r"MultiscaleDiscriminator\.scales is 0"):
        small(0)
    with pytest.raises(UserError, match=r"scales is 3, the last of which .* 5 pixels, but field 16 takes 6 or more"):
        small()(torch.zeros(2, 2, 32, 20), LABEL)
    small()(torch.zeros(2, 2, 32, 21), LABEL)
