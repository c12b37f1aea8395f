"""The discriminator of Real-ESRGAN: its size, its path through the halves, its norms."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.errors import UserError
from ganlit.networks.images.unet_discriminator import UNetDiscriminator

LABEL = torch.zeros(2, dtype=torch.long)


def small(channels: int = 3) -> UNetDiscriminator:
    torch.manual_seed(0)
    return UNetDiscriminator(channels, width=4)


def originals(network: nn.Module) -> list[nn.Parameter]:
    """The weights that are divided by their norm."""
    return [each for name, each in network.named_parameters() if name.endswith("parametrizations.weight.original")]


def reference(network: UNetDiscriminator, item: Tensor) -> Tensor:
    """The network written out, with the weights as it uses them."""

    def active(x: Tensor) -> Tensor:
        return F.leaky_relu(x, 0.2)

    def doubled(x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    down, up, end = ([layer.weight for layer in part] for part in (network.down, network.up, network.end))
    full = active(network.first(item))
    half = active(F.conv2d(full, down[0], stride=2, padding=1))
    quarter = active(F.conv2d(half, down[1], stride=2, padding=1))
    eighth = active(F.conv2d(quarter, down[2], stride=2, padding=1))
    x = active(F.conv2d(doubled(eighth), up[0], padding=1)) + quarter
    x = active(F.conv2d(doubled(x), up[1], padding=1)) + half
    x = active(F.conv2d(doubled(x), up[2], padding=1)) + full
    x = active(F.conv2d(active(F.conv2d(x, end[0], padding=1)), end[1], padding=1))
    return network.logits(x).squeeze(1)


@pytest.mark.parametrize("channels", [3, 6])
def test_it_has_as_many_weights_as_that_of_real_esrgan(channels: int) -> None:
    count = sum(each.numel() for each in UNetDiscriminator(channels).parameters())
    assert count == 4_376_897 + (channels - 3) * 64 * 9


def test_it_is_the_network_of_the_paper() -> None:
    network, item = small().double().eval(), torch.randn(2, 3, 16, 24, dtype=torch.float64)
    torch.testing.assert_close(network(item, LABEL), reference(network, item))


def test_each_pixel_has_a_logit_and_everything_learns() -> None:
    network = small()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(torch.randn(2, 3, 16, 24), LABEL)
    assert logits.shape == (2, 16, 24)
    assert logits.dtype == torch.float32
    logits.square().mean().backward()
    assert all(each.grad.count_nonzero() for each in network.parameters())
    assert len(originals(network)) == 8


def test_norms_become_one_with_the_calls_and_stay_in_evaluation() -> None:
    network, item = small(), torch.randn(2, 3, 8, 8)
    for _ in range(50):
        network(item, LABEL)
    for layer in (*network.down, *network.up, *network.end):
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1.0, rel=1e-3)
    network.eval()
    assert torch.equal(network(item, LABEL), network(item, LABEL))


def test_how_long_a_weight_is_does_not_matter() -> None:
    network, item = small().double().eval(), torch.randn(2, 3, 8, 8, dtype=torch.float64)
    before = network(item, LABEL)
    for weight in originals(network):
        weight.data *= 7
    torch.testing.assert_close(network(item, LABEL), before)


@pytest.mark.parametrize("sides", [(12, 16), (16, 12), (4, 4)])
def test_sides_that_cannot_be_halved_three_times_are_refused(sides: tuple[int, int]) -> None:
    with pytest.raises(UserError, match=rf"multiples of 8, but is shown some of {sides[0]}x{sides[1]}: bring"):
        small()(torch.zeros(2, 3, *sides), LABEL)


def test_what_means_nothing_is_refused() -> None:
    with pytest.raises(UserError, match=r"UNetDiscriminator\.width is 0"):
        UNetDiscriminator(width=0)
