"""The autoencoders of VQGAN and of latent diffusion: their published sizes, and what they promise a task."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn
from torch.distributions import Normal
from torch.nn import functional as F

from ganlit.errors import UserError
from ganlit.networks.images.autoencoder import KLAutoencoder, VQAutoencoder
from ganlit.networks.images.blocks import Attention, Decoder, Encoder, Halving, Normalisation
from ganlit.networks.quantizers import ScalarQuantizer, VectorQuantizer

LABEL = torch.zeros(2, dtype=torch.long)
SMALL: dict[str, Any] = {"resolution": 16, "channels": 1, "width": 8, "multipliers": [1, 2, 2], "blocks": 1}


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def vq(**options: Any) -> VQAutoencoder:
    return VQAutoencoder(VectorQuantizer(8, 6), **SMALL, **options)


def kl(**options: Any) -> KLAutoencoder:
    return KLAutoencoder(z_dim=6, **SMALL, **options)


def scalar(**options: Any) -> VQAutoencoder:
    return VQAutoencoder(ScalarQuantizer([5, 4, 3]), **SMALL, **options)


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({"z_dim": 4, "multipliers": [1, 2, 4, 4]}, 83_653_863),
        ({"z_dim": 3, "multipliers": [1, 2, 4]}, 55_312_063),
        ({"z_dim": 16, "multipliers": [1, 1, 2, 2, 4], "attention": [16]}, 69_610_963),
    ],
    ids=["f8", "f4", "f16"],
)
def test_kl_autoencoders_are_those_of_latent_diffusion(options: dict[str, Any], parameters: int) -> None:
    with torch.device("meta"):
        assert count(KLAutoencoder(256, **options)) == parameters


@pytest.mark.parametrize(("codes", "parameters"), [(1024, 72_141_699), (16384, 76_073_859)])
def test_the_vq_autoencoder_is_that_of_vqgan(codes: int, parameters: int) -> None:
    with torch.device("meta"):
        network = VQAutoencoder(VectorQuantizer(codes, 256), 256, multipliers=[1, 1, 2, 2, 4], attention=[16])
    assert count(network) == parameters
    assert count(network.encoder) == 29_298_176
    assert count(network.decoder) == 42_449_795


@pytest.mark.parametrize(("maps", "groups"), [(128, 32), (48, 24), (32, 32), (20, 20), (7, 7), (37, 1), (66, 22)])
def test_groups_divide_the_maps(maps: int, groups: int) -> None:
    assert Normalisation(maps).num_groups == groups
    assert Normalisation(maps).eps == 1e-6


def test_attention_is_that_of_the_formula() -> None:
    torch.manual_seed(0)
    layer, x = Attention(4), torch.randn(2, 4, 3, 5)
    queries, keys, values = layer.projections(layer.normalisation(x)).flatten(2).chunk(3, dim=1)
    weights = torch.softmax(torch.einsum("bcq,bck->bqk", queries, keys) / 2, dim=2)
    found = torch.einsum("bqk,bck->bcq", weights, values).view(2, 4, 3, 5)
    torch.testing.assert_close(layer(x), x + layer.back(found))


def test_halving_pads_on_the_far_sides_alone() -> None:
    layer, x = Halving(2), torch.randn(1, 2, 6, 6)
    padded = torch.zeros(1, 2, 7, 7)
    padded[:, :, :6, :6] = x
    expected = F.conv2d(padded, layer.convolution.weight, layer.convolution.bias, stride=2)
    torch.testing.assert_close(layer(x), expected)
    assert layer(x).shape == (1, 2, 3, 3)


@pytest.mark.parametrize("end", [Encoder, Decoder])
def test_attention_stands_where_it_was_asked_for(end: type[nn.Module]) -> None:
    sizes = {"resolution": 32, "channels": 1, "width": 4, "multipliers": [1, 2], "blocks": 2}
    network = end(**sizes, attention=[16], **{"outputs" if end is Encoder else "inputs": 3})
    maps = [layer.back.out_channels for layer in network if isinstance(layer, Attention)]
    assert maps == [8, 8, 8] if end is Encoder else [8, 8, 8, 8]
    shapes = []
    x = torch.randn(1, 1, 32, 32) if end is Encoder else torch.randn(1, 3, 16, 16)
    for layer in network:
        x = layer(x)
        shapes += [x.shape[-1]] if isinstance(layer, Attention) else []
    assert set(shapes) == {16}


@pytest.mark.parametrize("build", [vq, kl, scalar])
@pytest.mark.parametrize("attention", [[], [8, 4]])
def test_an_autoencoder_encodes_and_decodes(build: Any, attention: list[int]) -> None:
    torch.manual_seed(0)
    network, image = build(attention=attention).eval(), torch.rand(2, 1, 16, 24) * 2 - 1
    output, side = network(image, LABEL)
    latent, encoded = network.encode(image, LABEL)
    assert output.shape == image.shape
    assert latent.shape[2:] == (4, 6)
    assert side.keys() == encoded.keys()
    assert torch.equal(network.decode(latent, LABEL), output)
    assert network.classes == 0
    if build is kl:
        assert isinstance(side["posterior"], Normal)
        assert torch.equal(latent, side["posterior"].mean)
        assert not hasattr(network, "codes")
    else:
        assert side["codes"].shape == (2, 4, 6)
        assert side["codes"].max() < network.codes
        assert torch.equal(network.embedded(side["codes"]), latent)


@pytest.mark.parametrize("build", [vq, kl, scalar])
def test_every_weight_is_trained_and_the_last_matrix_is_the_last_convolution(build: Any) -> None:
    network = build(attention=[8])
    image = torch.randn(2, 1, 16, 16)
    output, side = network(image, LABEL)
    terms = [output.square().mean(), *(side[name].square().mean() for name in side if name == "quantized")]
    sum(terms).backward()
    assert [name for name, each in network.named_parameters() if each.grad is None] == []
    matrices = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    assert matrices[-1] is network.last_layer
    assert network.last_layer.shape == (1, 8, 3, 3)
    before = network.decode(torch.zeros(1, network.after.in_channels, 4, 4), LABEL)
    network.last_layer.data.zero_()
    assert before.std() > 1e-3
    assert network.decode(torch.zeros(1, network.after.in_channels, 4, 4), LABEL).std() < 1e-6


def test_a_posterior_is_sampled_in_training_alone_and_its_variance_is_bounded() -> None:
    torch.manual_seed(0)
    network, image = kl(), torch.randn(2, 1, 16, 16)
    drawn = torch.stack([network.encode(image, LABEL).output for _ in range(200)]).detach()
    posterior = network.encode(image, LABEL).side["posterior"]
    torch.testing.assert_close(drawn.mean(dim=0), posterior.mean.detach(), atol=0.4, rtol=0)
    assert (drawn.std(dim=0) / posterior.stddev.detach() - 1).abs().max() < 0.3
    network.before.bias.data[:] = torch.tensor([0.0] * 6 + [1e6, -1e6] * 3)
    deviations = network.encode(image, LABEL).side["posterior"].stddev[0, :, 0, 0]
    expected = torch.tensor([10.0, -15.0] * 3).exp()
    torch.testing.assert_close(deviations, expected)
    assert network.encode(image * torch.nan, LABEL).output.isnan().all()  # for the step to find


def test_a_uniform_prior_draws_all_codes_alike_also_in_a_copy() -> None:
    assert not hasattr(scalar(), "prior")
    network = deepcopy(scalar(uniform=True))
    assert network.prior.__self__ is network
    torch.manual_seed(0)
    latent = network.prior(torch.zeros(600, dtype=torch.long))
    assert latent.shape == (600, 3, 4, 4)
    levels = latent[:, 0].unique(return_counts=True)[1]
    assert (levels / levels.sum() - 1 / 5).abs().max() < 0.02


@pytest.mark.parametrize("build", [vq, kl])
def test_a_bounded_output_stays_within_the_range_of_images(build: Any) -> None:
    torch.manual_seed(0)
    image = torch.randn(2, 1, 16, 16)
    outputs = []
    for bounded in (True, False):
        network = build(bounded=bounded)
        network.last_layer.data *= 50
        outputs.append(network(image, LABEL).output.abs().max())
    assert outputs[0] <= 1 < outputs[1]


def test_bfloat16_comes_out_as_float32() -> None:
    for network in (vq(), kl(), scalar()):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output, side = network(torch.randn(2, 1, 16, 16), LABEL)
        assert output.dtype == torch.float32
        tensors = [value for value in side.values() if isinstance(value, torch.Tensor)]
        assert {value.dtype for value in tensors} <= {torch.float32, torch.int64}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 18}, r"KLAutoencoder.resolution is 18, which cannot be halved 2 times.*multiple of 4"),
        ({"attention": [6]}, "attention is at 6, but the resolutions are 16, 8, 4"),
        ({"multipliers": []}, "multipliers is empty"),
        ({"multipliers": [1, 0]}, "multipliers is 0"),
        ({"width": 0}, "width is 0"),
        ({"blocks": 0}, "blocks is 0"),
        ({"z_dim": 0}, "z_dim is 0"),
    ],
)
def test_sizes_of_which_nothing_can_be_made_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        KLAutoencoder(**({"z_dim": 6} | SMALL | options))


def test_images_that_cannot_be_halved_are_refused() -> None:
    with pytest.raises(UserError, match="sides are multiples of 4, but is shown some of 16x18"):
        vq()(torch.zeros(2, 1, 16, 18), LABEL)
