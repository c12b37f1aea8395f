"""WaveGAN: its size, its layers as TensorFlow pads them, phase shuffle, and classes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganlit.errors import UserError
from ganlit.networks.audio.wavegan import (
    Lengthening,
    PhaseShuffle,
    Shortening,
    WaveDiscriminator,
    WaveGenerator,
    strides,
)

LABEL = torch.tensor([0, 2])


def count(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def test_they_have_as_many_weights_as_those_of_the_paper() -> None:
    """Tables 3 and 4, at d = 64 and one channel."""
    with torch.device("meta"):
        assert count(WaveGenerator()) == 19_065_345
        assert count(WaveDiscriminator()) == 17_427_969


@pytest.mark.parametrize(
    ("samples", "expected"),
    [(64, [4]), (128, [4, 2]), (4096, [4] * 4), (8192, [4] * 4 + [2]), (16384, [4] * 5), (65536, [4] * 6)],
)
def test_sounds_of_other_lengths_have_more_layers(samples: int, expected: list[int]) -> None:
    assert strides(samples) == expected
    generator, discriminator = WaveGenerator(samples, 2, width=1), WaveDiscriminator(samples, 2, width=1)
    sound = generator(torch.randn(2, 100), LABEL)
    assert sound.shape == (2, 2, samples)
    assert sound.abs().max() <= 1
    assert discriminator(sound, LABEL).shape == (2,)


@pytest.mark.parametrize("samples", [32, 100, 16000, 16383])
def test_lengths_of_which_there_is_none_are_refused(samples: int) -> None:
    with pytest.raises(UserError, match=f"WaveGAN: {samples} samples are not supported; choose a power of two"):
        WaveGenerator(samples)


@pytest.mark.parametrize("stride", [4, 2])
def test_layers_pad_as_tensorflow_does(stride: int) -> None:
    """ "SAME": in all as much as is lacking, the larger half behind; a transposed one is the gradient of that."""
    torch.manual_seed(0)
    layer, x = Shortening(2, 3, stride), torch.randn(1, 2, 32)
    lacking = 25 - stride
    padded = torch.zeros(1, 2, 32 + lacking)
    padded[..., lacking // 2 : lacking // 2 + 32] = x
    expected = F.conv1d(padded, layer.weight, layer.bias, stride)
    torch.testing.assert_close(layer(x), expected)
    assert expected.shape == (1, 3, 32 // stride)

    back = Lengthening(3, 2, stride)
    back.weight.data.copy_(layer.weight)
    back.bias.data.zero_()
    y = torch.randn(1, 3, 32 // stride)
    x.requires_grad_()
    (gradient,) = torch.autograd.grad((layer(x) * y).sum(), x)
    torch.testing.assert_close(back(y), gradient)


def shuffled(item: Tensor, shift: int) -> Tensor:
    """As the authors' code shifts it: reflected where nothing is left."""
    left, right = max(shift, 0), max(-shift, 0)
    padded = F.pad(item[None], (left, right), mode="reflect")[0]
    return padded[..., right : right + item.shape[-1]]


def test_phase_shuffle_shifts_each_item_by_as_much_as_is_drawn() -> None:
    torch.manual_seed(0)
    shuffle, x = PhaseShuffle(2), torch.randn(500, 3, 9)
    found = shuffle(x)
    fits = torch.stack(
        [torch.stack([(found[i] == shuffled(x[i], shift)).all() for shift in range(-2, 3)]) for i in range(len(x))]
    )
    assert (fits.sum(dim=1) == 1).all()
    assert fits.float().mean(dim=0).min() > 0.15
    torch.manual_seed(0)
    torch.randn(500, 3, 9)
    assert torch.equal(shuffle(x), found)  # torch's own random stream, as other layers
    assert torch.equal(shuffle.eval()(x), x)
    assert torch.equal(PhaseShuffle(0)(x), x)


def small(**options: Any) -> tuple[WaveGenerator, WaveDiscriminator]:
    torch.manual_seed(0)
    return WaveGenerator(256, width=2, z_dim=5, **options), WaveDiscriminator(256, width=2, **options)


@pytest.mark.parametrize("classes", [0, 3])
def test_every_weight_is_trained_also_by_a_gradient_penalty(classes: int) -> None:
    generator, discriminator = small(classes=classes)
    assert (generator.classes, discriminator.classes) == (classes, classes)
    sound = generator(torch.randn(2, 5), LABEL)
    logits = discriminator(sound, LABEL)
    (gradient,) = torch.autograd.grad(logits.sum(), sound, create_graph=True)
    (logits.square().sum() + (gradient.flatten(1).norm(dim=1) - 1).square().mean()).backward()
    for network in (generator, discriminator):
        assert [name for name, each in network.named_parameters() if each.grad is None or not each.grad.any()] == []


def test_classes_count_in_both() -> None:
    generator, discriminator = (network.eval() for network in small(classes=3))
    z = torch.randn(1, 5).expand(2, -1)
    sound = generator(z, LABEL)
    assert not torch.allclose(sound[0], sound[1])
    same = sound[:1].expand(2, -1, -1)
    one, other = discriminator(same, LABEL)
    assert one != other
    torch.testing.assert_close(*small()[0](z, LABEL))  # that knows none


def test_the_projection_is_that_of_the_equation() -> None:
    _, discriminator = small(classes=3)
    discriminator.eval()
    sound = torch.randn(2, 1, 256)
    features = discriminator.layers(sound)
    assert features.shape == (2, 16 * 4)
    expected = discriminator.logit(features)[:, 0] + (features * discriminator.embedding.weight[LABEL]).sum(1) / 8
    torch.testing.assert_close(discriminator(sound, LABEL), expected)


def test_sound_of_another_length_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"samples is 256, but it is shown sounds of 512: set it and data\.init_args\.seg"
    ):
        small()[1](torch.zeros(2, 1, 512), LABEL)
    with pytest.raises(UserError, match=r"WaveDiscriminator\.shuffle is -1"):
        WaveDiscriminator(shuffle=-1)


def test_bfloat16_comes_out_as_float32() -> None:
    generator, discriminator = small(classes=3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        sound = generator(torch.randn(2, 5), LABEL)
        assert (sound.dtype, discriminator(sound, LABEL).dtype) == (torch.float32, torch.float32)
