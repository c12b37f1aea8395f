"""Networks of images that make and judge spectrograms."""

from __future__ import annotations

import math

import pytest
import torch

from ganlit.errors import UserError
from ganlit.networks.audio.specgan import SpectrogramDiscriminator, SpectrogramGenerator
from ganlit.networks.audio.spectrograms import MelSpectrogram
from ganlit.networks.images.dcgan import DCDiscriminator, DCGenerator
from ganlit.networks.images.patchgan import PatchDiscriminator
from ganlit.networks.images.stylegan import StyleDiscriminator, StyleGenerator

LABEL = torch.tensor([0, 2])
STYLE = {"channel_base": 64, "channel_max": 4, "classes": 3, "channels": 1}


def test_shades_are_logarithms_from_silence_to_the_loudest() -> None:
    network = DCGenerator(16, 1, z_dim=3, width=2)
    generator = SpectrogramGenerator(network, loud=1.0)
    z = torch.randn(2, 3)
    found, image = generator(z, LABEL), network(z, LABEL)[:, 0]
    assert found.shape == (2, 16, 16)
    torch.testing.assert_close(found, math.log(1e-5) + (image + 1) / 2 * (1 - math.log(1e-5)))
    silence = MelSpectrogram(16000, 64, 16, bands=16)(torch.zeros(2, 1, 256))
    assert silence.shape == found.shape
    torch.testing.assert_close(generator.shades(silence), -torch.ones(2, 16, 16))


def test_a_discriminator_sees_what_the_generators_network_made() -> None:
    torch.manual_seed(0)
    network, judge = DCGenerator(16, 1, z_dim=3, width=2), DCDiscriminator(16, 1, width=2)
    z = torch.randn(2, 3)
    found = SpectrogramDiscriminator(judge)(SpectrogramGenerator(network)(z, LABEL), LABEL)
    torch.testing.assert_close(found, judge(network(z, LABEL), LABEL), atol=1e-5, rtol=1e-4)
    assert SpectrogramDiscriminator(PatchDiscriminator(1, 16, width=2))(torch.randn(2, 32, 16), LABEL).features


def test_they_have_the_classes_and_the_latent_of_their_networks() -> None:
    generator = SpectrogramGenerator(StyleGenerator(16, z_dim=5, w_dim=4, mapping_depth=1, **STYLE))
    discriminator = SpectrogramDiscriminator(StyleDiscriminator(16, **STYLE))
    assert (generator.z_dim, generator.classes, discriminator.classes) == (5, 3, 3)
    discriminator(generator(torch.randn(2, 5), LABEL), LABEL).sum().backward()
    assert all(each.grad is not None for network in (generator, discriminator) for each in network.parameters())


def test_what_makes_no_spectrogram_is_refused() -> None:
    with pytest.raises(UserError, match=r"SpectrogramGenerator\.network makes 3 channels: set its channels to 1"):
        SpectrogramGenerator(DCGenerator(8, 3, z_dim=3, width=2))(torch.randn(2, 3), LABEL)
    with pytest.raises(UserError, match=r"SpectrogramDiscriminator\.quiet is 0 and loud -1: the latter must be more"):
        SpectrogramDiscriminator(DCDiscriminator(8, 1), quiet=0.0, loud=-1.0)
