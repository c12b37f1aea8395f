"""The small variational autoencoder, and the likelihoods by which it counts bits."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal

from ganlit.errors import UserError
from ganlit.networks.images.dcgan import DCGenerator
from ganlit.networks.images.likelihoods import DiscretisedNormal, GreyBernoulli
from ganlit.networks.images.vae import ConvVAE

LABEL = torch.zeros(4, dtype=torch.long)
VALUES = torch.arange(256).double() / 127.5 - 1
"""Of a pixel of 8 bits."""


@settings(deadline=None, max_examples=50)
@given(st.floats(-1.5, 1.5), st.floats(1e-3, 5))
def test_the_values_of_a_pixel_share_the_probability_of_one(mean: float, scale: float) -> None:
    distribution = DiscretisedNormal(torch.full((256,), mean).double(), torch.tensor(scale).double())
    assert distribution.log_prob(VALUES).exp().sum().item() == pytest.approx(1, abs=1e-9)
    normal = Normal(mean, scale)
    edges = (VALUES[:-1] + 1 / 255).clone()
    inner = normal.cdf(edges)
    expected = torch.diff(inner, prepend=torch.zeros(1).double(), append=torch.ones(1).double())
    torch.testing.assert_close(distribution.log_prob(VALUES).exp(), expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 0.01, 0.3, 3.0])
def test_far_off_values_are_improbable_but_finite_and_differentiable(scale: float) -> None:
    mean = torch.linspace(-1, 1, 256).requires_grad_()
    deviation = torch.tensor(scale).requires_grad_()
    for value in (-1.0, 0.003921569, 1.0):
        found = DiscretisedNormal(mean, deviation).log_prob(torch.full((256,), value))
        assert found.isfinite().all()
        exact = DiscretisedNormal(mean.double(), deviation.double()).log_prob(torch.full((256,), value).double())
        torch.testing.assert_close(found, exact.float(), rtol=1e-3, atol=1e-3)
        for gradient in torch.autograd.grad(found.sum(), [mean, deviation]):
            assert gradient.isfinite().all()


def test_the_deviation_that_is_learned_is_that_of_the_errors() -> None:
    torch.manual_seed(0)
    mean = 0.4 * torch.rand(20_000) - 0.2
    value = ((mean + 0.15 * torch.randn(20_000) + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1
    scales = torch.linspace(0.05, 0.4, 71)
    best = max(scales, key=lambda scale: DiscretisedNormal(mean, scale).log_prob(value).mean())
    assert best.item() == pytest.approx(0.15, abs=0.006)


def test_grey_is_how_often_a_pixel_is_white() -> None:
    mean, value = torch.tensor([-0.5, 0.0, 0.8]), torch.tensor([-1.0, 0.2, 1.0])
    expected = [math.log(0.75), 0.6 * math.log(0.5) + 0.4 * math.log(0.5), math.log(0.9)]
    assert GreyBernoulli(mean).log_prob(value).tolist() == pytest.approx(expected)
    sure = torch.tensor([-1.0, 1.0]).requires_grad_()
    assert GreyBernoulli(sure).log_prob(torch.tensor([1.0, -1.0])).isfinite().all()
    greys = torch.linspace(-0.99, 0.99, 199)
    assert greys[GreyBernoulli(greys).log_prob(torch.tensor(0.3)).argmax()].item() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
@pytest.mark.parametrize(("resolution", "channels"), [(8, 3), (32, 1)])
def test_it_encodes_and_decodes(resolution: int, channels: int, likelihood: str) -> None:
    torch.manual_seed(0)
    network = ConvVAE(resolution, channels, z_dim=5, width=4, likelihood=likelihood)
    image = torch.rand(4, channels, resolution, resolution) * 2 - 1
    network(image, LABEL)
    network.eval()
    output, side = network(image, LABEL)
    latent, encoded = network.encode(image, LABEL)
    assert output.shape == image.shape
    assert latent.shape == (4, 5)
    assert torch.equal(latent, side["posterior"].mean)
    assert torch.equal(network.decode(latent, LABEL), output)
    assert set(encoded) == {"posterior"}
    assert torch.equal(side["likelihood"].mean, output)
    assert side["likelihood"].log_prob(image).shape == image.shape
    assert network.train().encode(image, LABEL).output.ne(latent).any()
    assert network.classes == 0


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_every_weight_is_trained_and_the_last_matrix_is_the_last_convolution(likelihood: str) -> None:
    network = ConvVAE(16, 1, z_dim=5, width=4, likelihood=likelihood)
    image = torch.rand(4, 1, 16, 16) * 2 - 1
    network(image, LABEL).side["likelihood"].log_prob(image).mean().backward()
    assert [name for name, each in network.named_parameters() if each.grad is None] == []
    assert [each for each in network.parameters() if each.dim() > 1][-1] is network.last_layer
    assert network.last_layer.shape == (4, 1, 4, 4)


def test_its_decoder_is_the_generator_of_a_gan_and_the_prior_what_that_takes() -> None:
    network, generator = ConvVAE(32, 1, z_dim=8, width=4), DCGenerator(32, 1, z_dim=8, width=4)
    network.decoder.load_state_dict(generator.state_dict())
    z, label = torch.randn(2, 8), LABEL[:2]
    assert torch.equal(network.decode(z, label), generator(z, label))
    torch.manual_seed(3)
    latent = network.prior(torch.zeros(1000, dtype=torch.long))
    torch.manual_seed(3)
    assert torch.equal(latent, torch.randn(1000, 8))


def test_sizes_of_which_nothing_can_be_made_are_refused() -> None:
    with pytest.raises(UserError, match=r"ConvVAE\.z_dim is 0"):
        ConvVAE(16, z_dim=0)
    with pytest.raises(UserError, match="resolution 20"):
        ConvVAE(20)
