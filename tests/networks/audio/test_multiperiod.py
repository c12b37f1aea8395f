"""HiFi-GAN's discriminator of periods: its size, names, and what each network sees."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ganlit.contracts import Judgement
from ganlit.errors import UserError
from ganlit.networks.audio.convolutions import folded
from ganlit.networks.audio.multiperiod import MultiperiodDiscriminator

LABEL = torch.zeros(2, dtype=torch.long)


def small(**options: Any) -> MultiperiodDiscriminator:
    torch.manual_seed(0)
    return MultiperiodDiscriminator(**({"width": 2} | options))


def test_it_has_as_many_weights_as_that_of_the_paper() -> None:
    with torch.device("meta"):
        network = MultiperiodDiscriminator()
    assert sum(each.numel() for each in network.parameters()) == 41_105_770
    names = {name.replace(".parametrizations", "") for name in network.state_dict()}
    layers = [*(f"convs.{place}" for place in range(5)), "conv_post"]
    ends = ("bias", "weight.original0", "weight.original1")  # g and v
    assert names == {f"discriminators.{net}.{layer}.{end}" for net in range(5) for layer in layers for end in ends}


def authors(state: dict[str, Tensor], sound: Tensor, period: int, network: int) -> tuple[Tensor, list[Tensor]]:
    """What the authors' code makes of sound with weights without norms."""
    batch, channels, length = sound.shape
    if length % period != 0:
        lacking = period - (length % period)
        sound, length = F.pad(sound, (0, lacking), "reflect"), length + lacking
    x, found = sound.view(batch, channels, length // period, period), []
    for layer in range(5):
        name = f"discriminators.{network}.convs.{layer}"
        stride = (3, 1) if layer < 4 else 1
        x = F.leaky_relu(F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], stride, (2, 0)), 0.1)
        found.append(x)
    name = f"discriminators.{network}.conv_post"
    x = F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], 1, (1, 0))
    return torch.flatten(x, 1, -1), [*found, x]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("length", [60, 61, 97])
def test_it_gives_what_the_authors_code_gives(length: int, channels: int) -> None:
    network, sound = small(channels=channels), torch.randn(2, channels, length)
    state, answer = folded(network).state_dict(), network(sound, LABEL)
    assert isinstance(answer, Judgement)
    assert len(answer.logits) == len(answer.features) == 5
    for place, period in enumerate((2, 3, 5, 7, 11)):
        logits, features = authors(state, sound, period, place)
        torch.testing.assert_close(answer.logits[place], logits)
        for one, other in zip(answer.features[place], features, strict=True):
            torch.testing.assert_close(one, other)


def test_a_network_sees_no_difference_where_samples_of_its_rows_change_places() -> None:
    """Columns are judged alike: what lies in one may lie in another."""
    network, sound = small(periods=[4]), torch.randn(2, 1, 64)
    turned = sound.unflatten(2, (-1, 4)).roll(1, dims=3).flatten(2)
    (one,), (other,) = network(sound, LABEL).logits, network(turned, LABEL).logits
    torch.testing.assert_close(one.unflatten(1, (-1, 4)).roll(1, dims=2).flatten(1), other)


def test_every_weight_is_trained_also_by_a_penalty() -> None:
    network, sound = small(), torch.randn(2, 1, 200, requires_grad=True)
    logits = torch.cat(network(sound, LABEL).logits, dim=1)
    (gradient,) = torch.autograd.grad(logits.sum(), sound, create_graph=True)
    (logits.square().mean() + gradient.square().mean()).backward()
    assert [name for name, each in network.named_parameters() if each.grad is None or not each.grad.any()] == []


def test_bfloat16_comes_out_as_float32() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert {each.dtype for each in small()(torch.randn(2, 1, 64), LABEL).logits} == {torch.float32}


def test_what_means_nothing_is_refused() -> None:
    with pytest.raises(UserError, match=r"MultiperiodDiscriminator\.periods is 0"):
        small(periods=[])
    with pytest.raises(UserError, match=r"MultiperiodDiscriminator\.periods is 0"):
        small(periods=[2, 0])
    with pytest.raises(UserError, match="periods has 11, but it is shown sounds of 10 samples: take longer"):
        small()(torch.zeros(2, 1, 10), LABEL)
