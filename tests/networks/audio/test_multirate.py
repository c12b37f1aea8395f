"""HiFi-GAN's discriminator of several rates: its size, and what each network hears."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ganlit.errors import UserError
from ganlit.networks.audio.convolutions import folded
from ganlit.networks.audio.multirate import MultirateDiscriminator

LABEL = torch.zeros(2, dtype=torch.long)
STRIDES, GROUPS = (1, 2, 2, 4, 4, 1, 1), (1, 4, 16, 16, 16, 16, 1)


def small(**options: Any) -> MultirateDiscriminator:
    torch.manual_seed(0)
    return MultirateDiscriminator(**({"width": 16} | options))


def test_it_has_as_many_weights_as_that_of_the_paper() -> None:
    with torch.device("meta"):
        network = MultirateDiscriminator()
    assert sum(each.numel() for each in network.parameters()) == 29_618_821


def authors(state: dict[str, Tensor], sound: Tensor, network: int) -> tuple[Tensor, list[Tensor]]:
    """What the authors' code makes of sound at its rate with weights without norms."""
    x, found = sound, []
    for layer, (stride, groups) in enumerate(zip(STRIDES, GROUPS, strict=True)):
        name = f"discriminators.{network}.convs.{layer}"
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        x = F.leaky_relu(F.conv1d(x, weight, bias, stride, weight.shape[2] // 2, groups=groups), 0.1)
        found.append(x)
    name = f"discriminators.{network}.conv_post"
    x = F.conv1d(x, state[f"{name}.weight"], state[f"{name}.bias"], 1, 1)
    return torch.flatten(x, 1, -1), [*found, x]


@pytest.mark.parametrize("channels", [1, 2])
def test_it_gives_what_the_authors_code_gives(channels: int) -> None:
    network, sound = small(channels=channels).eval(), torch.randn(2, channels, 300)
    state, answer = folded(network).state_dict(), network(sound, LABEL)
    pool = torch.nn.AvgPool1d(4, 2, padding=2)
    for place in range(3):
        logits, features = authors(state, sound, place)
        torch.testing.assert_close(answer.logits[place], logits)
        for one, other in zip(answer.features[place], features, strict=True):
            torch.testing.assert_close(one, other)
        sound = pool(sound)


def test_the_first_is_under_spectral_norm_and_others_under_weight_norm() -> None:
    network = small(rates=2)
    for _ in range(60):
        network(torch.randn(2, 1, 64), LABEL)
    first, second = network.discriminators
    for layer in [*first.convs, first.conv_post]:
        largest = torch.linalg.svdvals(layer.weight.detach().flatten(1))[0]
        assert abs(float(largest) - 1) < 0.02
    for layer in [*second.convs, second.conv_post]:
        norms = layer.parametrizations.weight.original0.flatten()
        torch.testing.assert_close(layer.weight.flatten(1).norm(dim=1), norms)


def test_every_weight_is_trained() -> None:
    network = small()
    answer = network(torch.randn(2, 1, 300), LABEL)
    torch.stack([each.square().mean() for each in answer.logits]).sum().backward()
    assert [name for name, each in network.named_parameters() if each.grad is None or not each.grad.any()] == []


def test_bfloat16_comes_out_as_float32() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert {each.dtype for each in small()(torch.randn(2, 1, 64), LABEL).logits} == {torch.float32}


def test_what_means_nothing_is_refused() -> None:
    with pytest.raises(UserError, match=r"width is 24, which its 16 groups do not divide: set it to a multiple of 16"):
        small(width=24)
    with pytest.raises(UserError, match=r"MultirateDiscriminator\.rates is 0"):
        small(rates=0)
