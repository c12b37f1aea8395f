"""StyleGAN-lite: shapes, styles, truncation, conditions."""

from __future__ import annotations

import pytest
import torch

from ganlit.errors import UserError
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator, width
from ganlit.tasks.step import channels_last

SMALL = {"channel_base": 256, "channel_max": 8}


def generator(resolution: int = 16, **overrides: object) -> StyleGenerator:
    return StyleGenerator(resolution, **({"z_dim": 8, "w_dim": 8, "mapping_depth": 2} | SMALL | overrides))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("resolution", [16, 32, 64, 128])
def test_every_resolution_and_channel_count_makes_a_pair(resolution: int, channels: int) -> None:
    label = torch.tensor([0, 1])
    image = generator(resolution, channels=channels, classes=2)(torch.randn(2, 8), label)
    assert image.shape == (2, channels, resolution, resolution)
    logits = StyleDiscriminator(resolution, channels, classes=2, **SMALL)(image, label)
    assert logits.shape == (2,)
    logits.sum().backward()


def test_the_largest_resolution_is_1024() -> None:
    label = torch.zeros(1, dtype=torch.long)
    with torch.no_grad():
        image = generator(1024, channel_base=2048).eval()(torch.randn(1, 8), label)
        assert image.shape == (1, 3, 1024, 1024)
        assert StyleDiscriminator(1024, channel_base=2048, channel_max=8)(image, label).shape == (1,)


@pytest.mark.parametrize("resolution", [8, 24, 2048])
def test_other_resolutions_are_refused(resolution: int) -> None:
    with pytest.raises(UserError, match=f"resolution {resolution}.*power of two from 16 to 1024"):
        generator(resolution)


def test_feature_maps_halve_with_the_resolution() -> None:
    assert [width(size, 16384, 512) for size in (4, 32, 64, 256, 1024)] == [512, 512, 256, 64, 16]


def test_a_bounded_generator_stays_within_the_range_of_images() -> None:
    torch.manual_seed(0)
    z, label = 3 * torch.randn(16, 8), torch.zeros(16, dtype=torch.long)
    assert generator(bounded=True)(z, label).abs().max() <= 1
    assert generator()(z, label).abs().max() > 1


def test_noise_moves_pixels_only_once_it_has_strength() -> None:
    net = generator().eval()
    z, label = torch.randn(2, 8), torch.zeros(2, dtype=torch.long)
    assert torch.equal(net(z, label), net(z, label))
    for layer in net.layers:
        layer.noise.strength.data.fill_(0.5)
    assert not torch.equal(net(z, label), net(z, label))


def test_truncation_draws_styles_towards_the_mean_of_their_class() -> None:
    torch.manual_seed(0)
    net = generator(classes=2)
    label = torch.arange(512) % 2
    for _ in range(1500):
        net.styles(torch.randn(4, 8), label[:4])
    net.eval()
    styles = net.mapping(torch.randn(512, 8), label)
    for c in range(2):
        true = styles[label == c].mean(dim=0)
        assert (net.w_mean[c] - true).norm() < 0.25 * styles.std(dim=0).norm()
    z = torch.randn(2, 8)
    mean = net.synthesise(net.w_mean[:, None].expand(-1, len(net.layers) + 1, -1))
    torch.testing.assert_close(net(z, label[:2], truncation=0.0), mean)
    distance = [(net(z, label[:2], truncation=psi) - mean).norm().item() for psi in (0.3, 0.7, 1.0)]
    assert distance == sorted(distance)
    torch.testing.assert_close(net(z, label[:2], truncation=1.0), net(z, label[:2]))


def test_style_mixing_takes_the_second_style_from_a_random_layer_on() -> None:
    torch.manual_seed(0)
    net = generator(style_mixing=0.5)
    layers = len(net.layers) + 1
    first, second = torch.zeros(1000, layers, 8), torch.ones(1000, 8)
    mixed = net._mix(first, second)[:, :, 0]
    taken = mixed.sum(dim=1)
    assert torch.equal(mixed.sort(dim=1).values, mixed)  # once it changes, it stays
    assert torch.equal(mixed[:, 0], torch.zeros(1000))  # the first layer keeps the first style
    assert 0.4 < (taken > 0).float().mean() < 0.6
    assert set(taken[taken > 0].int().tolist()) == set(range(1, layers))


def test_labels_matter_to_conditional_networks_and_only_to_them() -> None:
    torch.manual_seed(0)
    z, image = torch.randn(4, 8), torch.randn(4, 3, 16, 16)
    zeros, ones = torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    for classes in (0, 2):
        net, critic = generator(classes=classes).eval(), StyleDiscriminator(16, classes=classes, **SMALL)
        assert torch.equal(net(z, zeros), net(z, ones)) == (classes == 0)
        assert torch.equal(critic(image, zeros), critic(image, ones)) == (classes == 0)


def test_every_parameter_of_the_pair_is_trained() -> None:
    net, critic = generator(classes=2), StyleDiscriminator(16, classes=2, **SMALL)
    label = torch.tensor([0, 1, 0, 1])
    critic(net(torch.randn(4, 8), label), label).square().sum().backward()
    silent = [name for pair in (net, critic) for name, p in pair.named_parameters() if p.grad is None]
    assert silent == []


@pytest.mark.parametrize("options", [{}, {"truncation": 0.5}])
@pytest.mark.parametrize("training", [True, False])
def test_images_are_synthesised_from_one_style_a_layer(training: bool, options: dict[str, float]) -> None:
    torch.manual_seed(0)
    net = generator(classes=2, style_mixing=0.5).train(training)
    for layer in net.layers:
        layer.noise.strength.data.fill_(0.5)
    z, label = torch.randn(16, 8), torch.arange(16) % 2
    mean = net.w_mean.clone()
    torch.manual_seed(1)
    whole = net(z, label, **options)
    net.w_mean.copy_(mean)
    torch.manual_seed(1)
    styles = net.styles(z, label, **options)
    assert styles.shape == (16, len(net.layers) + 1, 8)
    assert torch.equal(net.synthesise(styles), whole)
    mixed = (styles != styles[:, :1]).flatten(1).any(dim=1)
    assert mixed.any() == training


@pytest.mark.parametrize("channels", [1, 3])
def test_maps_have_their_channels_last_from_the_image_on(channels: int) -> None:
    network = channels_last(StyleDiscriminator(16, channels, channel_base=64, channel_max=4))
    found = []
    for block in network.blocks:
        block.register_forward_hook(lambda _, given, output: found.extend((*given, output)))
    network(torch.randn(4, channels, 16, 16), torch.zeros(4, dtype=torch.int64))
    assert len(found) == 4
    assert all(maps.is_contiguous(memory_format=torch.channels_last) for maps in found)
